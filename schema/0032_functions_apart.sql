-- Functions, views, the receipts' codes and the rights have files of their own, which are applied anew
-- with each version: here is kept which content that was. Null: a later version came in the same run.
alter table sendcode.schema_migration add column functions_sha256 bytea;

-- The claim of the workers before limits over all scenes: no neighbouring version calls it.
drop function if exists sendcode.claim(
    uuid, text, text, int, int, bytea[], int[], bigint[], int[], bigint[], text[], text[], text[],
    timestamptz[], timestamptz[], text[], text[], text[], text[], text[], int[], bool[], int[],
    int[], int[], int[], int[], int[], int[], bytea[], bytea[], bytea[]);

-- The schema's version, for programs to ask before they use it.

create or replace function sendcode.schema_version() returns int
language sql stable security definer
set search_path = sendcode, pg_temp
as $$
    -- One that came in the same run as a later one, and whose functions were never applied, is none.
    select coalesce(max(version), 0) from schema_migration where functions_sha256 is not null
$$;

-- The schema's version, for programs to ask before they use it.

create or replace function sendcode.schema_version() returns int
language sql stable security definer
set search_path = sendcode, pg_temp
as $$ select coalesce(max(version), 0) from schema_migration $$;

-- How long things last, and the provider's day.

-- How long after its end a code still verifies: the SMS says whole minutes.
create or replace function sendcode.grace() returns interval
language sql immutable
as $$ select interval '30 seconds' $$;

-- How long Kafka keeps a job's record, a segment more or less: whoever took over a claim that is older
-- would find its deadline past.
create or replace function sendcode.record_life() returns interval
language sql immutable
as $$ select interval '72 hours' $$;

-- By how much the clocks of database and provider may differ when a record is matched.
create or replace function sendcode.clock_slack() returns interval
language sql immutable
as $$ select interval '5 seconds' $$;

-- The day by which the provider counts, in China, and when it ends.
create or replace function sendcode.provider_day(p_at timestamptz) returns date
language sql immutable
as $$ select (p_at at time zone interval '8 hours')::date $$;

create or replace function sendcode.provider_day_end(p_at timestamptz) returns timestamptz
language sql immutable
as $$
    select ((p_at at time zone interval '8 hours')::date + 1)::timestamp
           at time zone interval '8 hours'
$$;

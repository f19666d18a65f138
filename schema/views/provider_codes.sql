create or replace view sendcode.provider_codes as
select coalesce(a.provider_code, '') as provider_code, a.outcome::text as outcome,
       count(*) as attempts, min(a.at) as first_at, max(a.at) as last_at
from sendcode.attempt a
where a.day >= (now() at time zone 'UTC')::date - 7
group by 1, 2;

comment on view sendcode.provider_codes is
    'What the provider answered in the last seven days.';
comment on column sendcode.provider_codes.provider_code is
    'Ok or an error code; empty: no readable answer, as with time-outs.';
comment on column sendcode.provider_codes.outcome is
    'What that meant for the attempt, as in attempts.';
comment on column sendcode.provider_codes.attempts is
    'How many.';
comment on column sendcode.provider_codes.first_at is
    'The first of them in these days.';
comment on column sendcode.provider_codes.last_at is
    'The last of them.';

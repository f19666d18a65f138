create or replace view sendcode.latency as
select date_trunc('hour', d.accepted_at) as hour, d.scene, count(*) as jobs,
       percentile_cont(0.5) within group (order by s.whole) as p50_s,
       percentile_cont(0.95) within group (order by s.whole) as p95_s,
       percentile_cont(0.99) within group (order by s.whole) as p99_s,
       percentile_cont(0.5) within group (order by s.sending) as sending_p50_s,
       percentile_cont(0.99) within group (order by s.sending) as sending_p99_s,
       count(s.carrying) as delivered,
       percentile_cont(0.5) within group (order by s.carrying) as carrying_p50_s,
       percentile_cont(0.99) within group (order by s.carrying) as carrying_p99_s
from sendcode.delivery d
cross join lateral (
    select extract(epoch from d.accepted_at - d.requested_at)::float8 as whole,
           extract(epoch from d.accepted_at - d.claimed_at)::float8 as sending,
           -- The carrier tells seconds, by its own clock: it may be before the acceptance.
           case when d.state = 'delivered' then greatest(
               0, extract(epoch from d.receipt_at - d.accepted_at)::float8) end as carrying) s
where d.accepted_at is not null and d.day >= (now() at time zone 'UTC')::date - 7
group by 1, 2;

comment on view sendcode.latency is
    'By hour and scene, for the last seven days, in seconds: half of them (p50) took no longer.';
comment on column sendcode.latency.hour is
    'UTC hour of the acceptance by the provider.';
comment on column sendcode.latency.scene is
    'What the code is for.';
comment on column sendcode.latency.jobs is
    'Accepted in that hour.';
comment on column sendcode.latency.p50_s is
    'From the request to the acceptance, half of them.';
comment on column sendcode.latency.p95_s is
    'The same, 95 of 100.';
comment on column sendcode.latency.p99_s is
    'The same, 99 of 100.';
comment on column sendcode.latency.sending_p50_s is
    'From the last claim to the acceptance: our request to the provider, half of them.';
comment on column sendcode.latency.sending_p99_s is
    'The same, 99 of 100.';
comment on column sendcode.latency.delivered is
    'How many of the jobs have a receipt that the phone has it.';
comment on column sendcode.latency.carrying_p50_s is
    'From the acceptance to the phone, as the receipts say (0: in the same second, or earlier by the
carrier''s clock), half of the delivered.';
comment on column sendcode.latency.carrying_p99_s is
    'The same, 99 of 100.';

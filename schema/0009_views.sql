-- What auditors and investigators read. Phones are whole for investigators alone.

-- +86138****8000: of n digits the first max(0, min(5, n-8)) and the last 4.
create function sendcode.mask_phone(p_phone text) returns text
language sql immutable parallel safe
as $$
    select '+' || left(substr(p_phone, 2), greatest(0, least(5, length(p_phone) - 9))) || '****'
           || right(p_phone, 4)
$$;

create function sendcode.sees_phones() returns boolean
language sql stable
as $$ select pg_has_role(current_user, 'sendcode_investigator', 'usage') $$;

-- The country code of an E.164 number (ITU-T E.164: one digit, a list of two, else three).
create function sendcode.country_code(p_phone text) returns text
language sql immutable parallel safe
as $$
    select case
           when substr(p_phone, 2, 1) in ('1', '7') then substr(p_phone, 2, 1)
           when substr(p_phone, 2, 2) in (
               '20', '27', '30', '31', '32', '33', '34', '36', '39', '40', '41', '43', '44', '45',
               '46', '47', '48', '49', '51', '52', '53', '54', '55', '56', '57', '58', '60', '61',
               '62', '63', '64', '65', '66', '81', '82', '84', '86', '90', '91', '92', '93', '94',
               '95', '98') then substr(p_phone, 2, 2)
           else substr(p_phone, 2, 3) end
$$;

create view sendcode.deliveries as
select d.job_id,
       case when (select sendcode.sees_phones()) then d.phone
            else sendcode.mask_phone(d.phone) end as phone,
       d.scene, d.state::text as state, d.reason, d.seq, d.attempts, d.provider_code, d.serial_no,
       d.requested_at, d.deadline, d.claimed_at, d.accepted_at, d.changed_at, d.receipt_at,
       d.receipt_code, d.retry_after, d.client_ip, d.locale, d.topic, d.partition, d."offset",
       d.worker, d.verified_at, d.duplicate_send, d.incarnation, d.day
from sendcode.delivery d;

comment on view sendcode.deliveries is
    'A row per job: what was asked, and what became of it. day is the UTC date that it is filed
under; naming a range of days in a query lets it skip the other months.';

create view sendcode.attempts as
select a.job_id, a.attempt, a.at, a.duration_ms, a.outcome::text as outcome, a.http_status,
       a.provider_code, a.request_id, a.serial_no, a.fee, a.worker, a.day
from sendcode.attempt a;

comment on view sendcode.attempts is
    'A row per request to the provider (also one of which nothing was heard again). outcome, as
known now: accepted (billed, fee messages), refused, not_sent (certainly), in_doubt.';

create view sendcode.receipts as
select r.serial_no,
       case when (select sendcode.sees_phones()) then r.phone
            else sendcode.mask_phone(r.phone) end as phone,
       r.status, r.code, r.user_received_at, r.received_at, r.source, r.match, r.job_id
from sendcode.receipt r;

comment on view sendcode.receipts is
    'The carriers'' receipts as they came. match: joined (to job_id), repeat, or orphan.';

create view sendcode.accounting as
with jobs as (
    select topic, partition, count(*) as n from sendcode.delivery group by 1, 2
), others as (
    select topic, partition, count(*) filter (where what = 'duplicate') as duplicates,
           count(*) filter (where what = 'invalid') as invalid
    from sendcode.record_other group by 1, 2
), runs as (
    -- Runs of one incarnation may overlap, when a partition was read again from another offset.
    select topic, partition, incarnation,
           unnest(range_agg(int8range(from_offset, to_offset))) as run
    from sendcode.offset_gap group by 1, 2, 3
), gaps as (
    select topic, partition, sum(upper(run) - lower(run)) as n from runs group by 1, 2
), progress as (
    select topic, partition, (array_agg(next_offset order by incarnation desc))[1] as next_offset,
           sum(pruned_jobs) as jobs, sum(pruned_duplicates) as duplicates,
           sum(pruned_invalid) as invalid, sum(pruned_gaps) as gaps
    from sendcode.partition_progress group by 1, 2
)
select p.topic, p.partition, s.jobs + s.duplicates + s.invalid as records, s.jobs, s.duplicates,
       s.invalid, (p.gaps + coalesce(g.n, 0))::bigint as gaps, p.next_offset
from progress p
left join jobs j using (topic, partition)
left join others o using (topic, partition)
left join gaps g using (topic, partition)
cross join lateral (
    select (p.jobs + coalesce(j.n, 0))::bigint as jobs,
           (p.duplicates + coalesce(o.duplicates, 0))::bigint as duplicates,
           (p.invalid + coalesce(o.invalid, 0))::bigint as invalid) s;

comment on view sendcode.accounting is
    'Per partition: every record of the topic is a job, a duplicate or invalid. At rest, records is
what the topic held. gaps: offsets that held no record (transactions, compaction); next_offset: one
past the highest offset met.';

create view sendcode.other_records as
select topic, partition, "offset", at, what, reason, job_id, incarnation
from sendcode.record_other;

comment on view sendcode.other_records is
    'Records that are no job: invalid (reason: the rule broken; the dead letter topic has them) and
duplicate (job_id was known from another record).';

create view sendcode.daily as
select d.day, d.scene, sendcode.country_code(d.phone) as country_code, count(*) as requested,
       count(*) filter (where d.state in ('sent', 'delivered', 'undelivered')) as sent,
       count(*) filter (where d.state = 'delivered') as delivered,
       count(*) filter (where d.state = 'undelivered') as undelivered,
       count(d.verified_at) as verified,
       count(*) filter (where d.state = 'rejected') as rejected,
       count(*) filter (where d.state = 'limited') as limited,
       count(*) filter (where d.state = 'superseded') as superseded,
       count(*) filter (where d.state = 'expired') as expired,
       count(*) filter (where d.state = 'unknown') as unknown,
       coalesce(sum(a.fee), 0) as segments
from sendcode.delivery d
left join lateral (
    select sum(a.fee) as fee from sendcode.attempt a
    where a.job_id = d.job_id and a.day = d.day and a.outcome = 'accepted') a
    on d.accepted_at is not null
group by 1, 2, 3;

comment on view sendcode.daily is
    'Jobs by UTC day of request, scene and country: sent includes delivered and undelivered;
segments is what the provider billed.';

create view sendcode.provider_codes as
select coalesce(a.provider_code, '') as provider_code, a.outcome::text as outcome,
       count(*) as attempts, min(a.at) as first_at, max(a.at) as last_at
from sendcode.attempt a
where a.day >= (now() at time zone 'UTC')::date - 7
group by 1, 2;

comment on view sendcode.provider_codes is
    'What the provider answered in the last seven days ('''': no code, as with time-outs).';

create view sendcode.latency as
select date_trunc('hour', d.accepted_at) as hour, d.scene, count(*) as jobs,
       percentile_cont(0.5) within group (order by s.whole) as p50_s,
       percentile_cont(0.95) within group (order by s.whole) as p95_s,
       percentile_cont(0.99) within group (order by s.whole) as p99_s,
       percentile_cont(0.5) within group (order by s.sending) as sending_p50_s,
       percentile_cont(0.99) within group (order by s.sending) as sending_p99_s
from sendcode.delivery d
cross join lateral (
    select extract(epoch from d.accepted_at - d.requested_at)::float8 as whole,
           extract(epoch from d.accepted_at - d.claimed_at)::float8 as sending) s
where d.accepted_at is not null and d.day >= (now() at time zone 'UTC')::date - 7
group by 1, 2;

comment on view sendcode.latency is
    'By hour and scene, in seconds, for the last seven days: from the request to the provider''s
acceptance, and (sending) from the last claim to it.';

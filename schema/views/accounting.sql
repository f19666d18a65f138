create or replace view sendcode.accounting as
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
    'Per partition of the jobs topic: every record is a job, a duplicate or invalid. When all is
read, records is what the topic held. Retention lowers none of it.';
comment on column sendcode.accounting.topic is
    'The jobs topic.';
comment on column sendcode.accounting.partition is
    'Of the topic.';
comment on column sendcode.accounting.records is
    'jobs + duplicates + invalid.';
comment on column sendcode.accounting.jobs is
    'Records that are a job: deliveries has them, but for what retention dropped.';
comment on column sendcode.accounting.duplicates is
    'Records whose job_id was known from another record.';
comment on column sendcode.accounting.invalid is
    'Records that are no job: other_records says why, the dead letter topic has them.';
comment on column sendcode.accounting.gaps is
    'Offsets that held no record (transactions, compaction), as noted when they were met.';
comment on column sendcode.accounting.next_offset is
    'One past the highest offset met.';

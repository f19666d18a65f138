create or replace view sendcode.other_records as
select topic, partition, "offset", at, what, reason, job_id, incarnation
from sendcode.record_other;

comment on view sendcode.other_records is
    'Records of the jobs topic that are no job of their own.';
comment on column sendcode.other_records.topic is
    'The jobs topic.';
comment on column sendcode.other_records.partition is
    'Of the topic.';
comment on column sendcode.other_records."offset" is
    'Within the partition.';
comment on column sendcode.other_records.at is
    'When it was met.';
comment on column sendcode.other_records.what is
    'invalid (a dead letter) or duplicate (nothing was changed by it).';
comment on column sendcode.other_records.reason is
    'With invalid: which rule it broke.';
comment on column sendcode.other_records.job_id is
    'With duplicate: the job that was known.';
comment on column sendcode.other_records.incarnation is
    'Counts how often the partition''s log began anew.';

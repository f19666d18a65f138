create or replace view sendcode.attempts as
select a.job_id, a.attempt, a.at, a.duration_ms, a.outcome::text as outcome, a.http_status,
       a.provider_code, a.request_id, a.serial_no, nullif(a.fee, 0) as fee, a.worker, a.day,
       a.settlement
from sendcode.attempt a;

comment on view sendcode.attempts is
    'A row per request to the provider, also one of which nothing was heard again.';
comment on column sendcode.attempts.job_id is
    'The job that it was for: deliveries has it.';
comment on column sendcode.attempts.attempt is
    '1, 2 … within the job.';
comment on column sendcode.attempts.at is
    'When it began.';
comment on column sendcode.attempts.duration_ms is
    'Until its answer, in milliseconds. Null: its worker died.';
comment on column sendcode.attempts.outcome is
    'As known now: accepted (and billed), refused, not_sent (certainly), in_doubt (unknown yet).';
comment on column sendcode.attempts.http_status is
    'Of the answer. Null: there was none.';
comment on column sendcode.attempts.provider_code is
    'What the provider answered: Ok, or its error code. Null: no readable answer.';
comment on column sendcode.attempts.request_id is
    'The provider''s name of the request: for its support.';
comment on column sendcode.attempts.serial_no is
    'The provider''s name of the accepted message.';
comment on column sendcode.attempts.fee is
    'Segments billed: messages of 70 characters, or 67 each when there are more. Null: nothing, or
nobody was told.';
comment on column sendcode.attempts.worker is
    'Which worker sent it.';
comment on column sendcode.attempts.day is
    'As in deliveries: (job_id, day) names the job.';
comment on column sendcode.attempts.settlement is
    'What the provider was asked about it when it was in doubt, and what it said.';

create or replace view sendcode.deliveries as
select d.job_id,
       case when (select sendcode.sees_phones()) then d.phone
            else sendcode.mask_phone(d.phone) end as phone,
       d.scene, d.state::text as state, d.reason, d.seq, d.attempts, d.provider_code, d.serial_no,
       d.requested_at, d.deadline, d.claimed_at, d.accepted_at, d.changed_at, d.receipt_at,
       d.receipt_code, d.retry_after, d.client_ip, d.locale, d.topic, d.partition, d."offset",
       d.worker, d.verified_at, d.duplicate_send, d.incarnation, d.day,
       c.kind as receipt_kind, c.meaning as receipt_meaning,
       nullif(d.segments, 0) as segments
from sendcode.delivery d
left join sendcode.receipt_code c on c.code = d.receipt_code;

comment on view sendcode.deliveries is
    'A row per job: what was asked, and what became of it. Look for a phone with phone_jobs();
naming a range of days (column day) lets a query skip the others. Phones are masked but for
investigators.';
comment on column sendcode.deliveries.job_id is
    'The job''s name, given by who asked for the SMS; never two jobs with one name.';
comment on column sendcode.deliveries.phone is
    'E.164, masked (+86138****8000) but for investigators. After an erasure a pseudonym with a ~.';
comment on column sendcode.deliveries.scene is
    'What the code is for, as configured: login, register …';
comment on column sendcode.deliveries.state is
    'claimed, retry, in_doubt: under way. sent: accepted by the provider, and billed. delivered,
undelivered: the carrier''s receipt. rejected: refused for good. limited: by a limit. superseded: by
a newer job. expired: too late. unknown: perhaps sent, never settled.';
comment on column sendcode.deliveries.reason is
    'Why it is in this state: the limit''s name, number, content, carrier, deadline, newer_job …';
comment on column sendcode.deliveries.seq is
    'Number of its changes of state; the events carry it.';
comment on column sendcode.deliveries.attempts is
    'How many times it was claimed to be sent.';
comment on column sendcode.deliveries.provider_code is
    'What the provider answered last: Ok, or its error code.';
comment on column sendcode.deliveries.serial_no is
    'The provider''s name of the accepted message; its receipts carry it.';
comment on column sendcode.deliveries.requested_at is
    'When the SMS was asked for, by the clock of who asked.';
comment on column sendcode.deliveries.deadline is
    'Later than this it is not sent.';
comment on column sendcode.deliveries.claimed_at is
    'When its last attempt was allowed. Null: none was.';
comment on column sendcode.deliveries.accepted_at is
    'When the provider accepted it.';
comment on column sendcode.deliveries.changed_at is
    'When its state changed last.';
comment on column sendcode.deliveries.receipt_at is
    'When the phone had the SMS, or the carrier gave it up, as the first receipt says.';
comment on column sendcode.deliveries.receipt_code is
    'The carrier''s code in the first receipt; receipt_meaning explains it.';
comment on column sendcode.deliveries.retry_after is
    'With limited: so many seconds after changed_at it may be asked for again.';
comment on column sendcode.deliveries.client_ip is
    'The end user''s address, as told by who asked.';
comment on column sendcode.deliveries.locale is
    'The language asked for.';
comment on column sendcode.deliveries.topic is
    'With partition and offset: the Kafka record that the job came by.';
comment on column sendcode.deliveries.partition is
    'Of the topic.';
comment on column sendcode.deliveries."offset" is
    'Within the partition.';
comment on column sendcode.deliveries.worker is
    'Which worker decided about it last.';
comment on column sendcode.deliveries.verified_at is
    'When its code was entered rightly. Null: not (or through a later job with that code).';
comment on column sendcode.deliveries.duplicate_send is
    'The provider accepted more than one message for it: must never be, and alarms.';
comment on column sendcode.deliveries.incarnation is
    'Counts how often the partition''s log began anew (the topic was deleted).';
comment on column sendcode.deliveries.day is
    'UTC date that it is filed under: of requested_at, or of its coming if that was a day late.';
comment on column sendcode.deliveries.receipt_kind is
    'Kind of receipt_code: DELIVERED, PHONE_OFF, BLACKLIST … Null: not a listed code.';
comment on column sendcode.deliveries.receipt_meaning is
    'What receipt_code means, in words.';
comment on column sendcode.deliveries.segments is
    'What the provider billed, all its messages together. Null: nothing, or nobody was told (daily
counts those as unpriced).';

-- What the views say, for \d+ and for whoever meets them for the first time.

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
    'Segments billed: messages of 70 characters, or 67 each when there are more.';
comment on column sendcode.attempts.worker is
    'Which worker sent it.';
comment on column sendcode.attempts.day is
    'As in deliveries: (job_id, day) names the job.';
comment on column sendcode.attempts.settlement is
    'What the provider was asked about it when it was in doubt, and what it said.';

comment on view sendcode.receipts is
    'The carriers'' receipts as they came; also those of no job. A job''s first one stands.';
comment on column sendcode.receipts.serial_no is
    'Which message it is about: the provider''s name for it.';
comment on column sendcode.receipts.phone is
    'E.164 or as it came, masked but for investigators.';
comment on column sendcode.receipts.status is
    'SUCCESS (the phone has it) or FAIL, as it came.';
comment on column sendcode.receipts.code is
    'The carrier''s own code; meaning explains it.';
comment on column sendcode.receipts.user_received_at is
    'When the phone had it or the carrier gave it up, by the carrier (in seconds).';
comment on column sendcode.receipts.received_at is
    'When it came to us.';
comment on column sendcode.receipts.source is
    'callback (the provider called), pull (its queue), by_number (asked, being overdue).';
comment on column sendcode.receipts.match is
    'joined: it moved job_id. repeat: job_id had its receipt already. orphan: no job of ours
explains it. Null: not decided yet, or fault.';
comment on column sendcode.receipts.job_id is
    'The job that it is about.';
comment on column sendcode.receipts.description is
    'The provider''s words for it.';
comment on column sendcode.receipts.fault is
    'Why nobody can understand it. Null: it is understood.';
comment on column sendcode.receipts.id is
    'Grows with their coming.';
comment on column sendcode.receipts.kind is
    'Kind of code: DELIVERED, PHONE_OFF, BLACKLIST … Null: not a listed code.';
comment on column sendcode.receipts.meaning is
    'What code means, in words.';

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

comment on view sendcode.daily is
    'Jobs by UTC day, scene and country. Name a day, or a range of them: where day = ….';
comment on column sendcode.daily.day is
    'UTC date of the request, as in deliveries.';
comment on column sendcode.daily.scene is
    'What the code is for.';
comment on column sendcode.daily.country_code is
    'Of the phone number: 86, 1, 852 …';
comment on column sendcode.daily.requested is
    'Jobs, whatever became of them; those still under way are in no other column.';
comment on column sendcode.daily.sent is
    'Accepted by the provider; includes delivered and undelivered.';
comment on column sendcode.daily.delivered is
    'With a receipt that the phone has it.';
comment on column sendcode.daily.undelivered is
    'With a receipt that it has not.';
comment on column sendcode.daily.verified is
    'Whose code was entered rightly.';
comment on column sendcode.daily.rejected is
    'Refused for good: the number or the content.';
comment on column sendcode.daily.limited is
    'Stopped by a limit of ours or of the provider''s, or a country that is not allowed.';
comment on column sendcode.daily.superseded is
    'A newer job of the phone and scene took its place.';
comment on column sendcode.daily.expired is
    'Not sent before the deadline.';
comment on column sendcode.daily.unknown is
    'Perhaps sent; the provider''s records never told.';
comment on column sendcode.daily.segments is
    'Messages that the provider billed, all attempts together.';

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
    'From the acceptance to the phone, as the receipts say, half of the delivered.';
comment on column sendcode.latency.carrying_p99_s is
    'The same, 99 of 100.';

comment on table sendcode.receipt_code is
    'What the codes in the carriers'' receipts mean; carriers: whose codes they are.';

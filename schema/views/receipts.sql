create or replace view sendcode.receipts as
select r.serial_no,
       case when (select sendcode.sees_phones()) then r.phone
            else sendcode.mask_phone(r.phone) end as phone,
       r.status, r.code, r.user_received_at, r.received_at, r.source, r.match, r.job_id,
       r.description, r.fault, r.id, c.kind, c.meaning
from sendcode.receipt r
left join sendcode.receipt_code c on c.code = r.code;

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

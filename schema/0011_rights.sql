-- Who may do what. Nobody but the owner touches a table, save the receiver, who inserts receipts.

create function sendcode.schema_version() returns int
language sql stable security definer
set search_path = sendcode, pg_temp
as $$ select coalesce(max(version), 0) from schema_migration $$;

revoke execute on all functions in schema sendcode from public;

grant usage on schema sendcode to sendcode_worker, sendcode_receiver, sendcode_verifier,
    sendcode_auditor, sendcode_investigator;
grant execute on function sendcode.schema_version() to sendcode_worker, sendcode_receiver,
    sendcode_verifier, sendcode_auditor, sendcode_investigator;

-- verify, unlock and timeline too: sendcodectl may run with a worker's configuration.
grant execute on function
    sendcode.take_epochs, sendcode.claim, sendcode.record, sendcode.note_records, sendcode.sweep,
    sendcode.outbox_take, sendcode.outbox_done, sendcode.verify, sendcode.unlock,
    sendcode.timeline
    to sendcode_worker;

grant insert on sendcode.receipt to sendcode_receiver;

grant execute on function sendcode.verify to sendcode_verifier;

grant select on sendcode.deliveries, sendcode.attempts, sendcode.receipts, sendcode.accounting,
    sendcode.other_records, sendcode.daily, sendcode.provider_codes, sendcode.latency
    to sendcode_auditor, sendcode_investigator;
-- The views call these with the reader's rights.
grant execute on function sendcode.timeline, sendcode.mask_phone, sendcode.sees_phones,
    sendcode.country_code to sendcode_auditor, sendcode_investigator;

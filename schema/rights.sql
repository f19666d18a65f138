-- Who may do what. Nobody but the owner touches a table, save the receiver, who inserts receipts.

-- Roles belong to the whole cluster: another database may have made them, even at this moment.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['sendcode_worker', 'sendcode_receiver', 'sendcode_verifier',
                                  'sendcode_auditor', 'sendcode_investigator'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
            begin
                execute format('create role %I nologin', v_role);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;
end
$$;

revoke execute on all functions in schema sendcode from public;

grant usage on schema sendcode to sendcode_worker, sendcode_receiver, sendcode_verifier,
    sendcode_auditor, sendcode_investigator;
grant execute on function sendcode.schema_version() to sendcode_worker, sendcode_receiver,
    sendcode_verifier, sendcode_auditor, sendcode_investigator;

-- verify, unlock, timeline and the replays too: sendcodectl may run with a worker's configuration.
grant execute on function
    sendcode.take_epochs, sendcode.claim, sendcode.record, sendcode.note_records, sendcode.sweep,
    sendcode.outbox_take, sendcode.outbox_done, sendcode.take_parked, sendcode.release_parked,
    sendcode.settle, sendcode.share_rate, sendcode.join_receipts, sendcode.store_receipts,
    sendcode.take_pull, sendcode.overdue_receipts, sendcode.take_conversions, sendcode.retain,
    sendcode.replays_find, sendcode.replays_mark, sendcode.replays_unmark,
    sendcode.verify, sendcode.unlock, sendcode.timeline
    to sendcode_worker;

-- What was found out about a receipt is none of the receiver's business.
grant insert (source, serial_no, phone, status, code, description, user_received_at, raw, fault)
    on sendcode.receipt to sendcode_receiver;

grant execute on function sendcode.verify to sendcode_verifier;

grant select on sendcode.deliveries, sendcode.attempts, sendcode.receipts, sendcode.accounting,
    sendcode.other_records, sendcode.daily, sendcode.provider_codes, sendcode.latency
    to sendcode_auditor, sendcode_investigator;
-- The views call the last three with the reader's rights.
grant execute on function sendcode.timeline, sendcode.phone_jobs, sendcode.mask_phone,
    sendcode.sees_phones, sendcode.country_code to sendcode_auditor, sendcode_investigator;

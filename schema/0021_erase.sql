-- Erasure of a phone, as PIPL and GDPR want it: the accounts stay whole, the number goes.

-- Puts a random pseudonym in place of the phone wherever it stands, and returns what was changed
-- where. It keeps the country code, for `daily`; nothing leads back from it. Codes, limits and wrong
-- tries of the phone go. Refused while a job of the phone is not decided. Kafka's topics are out of
-- its reach. The schema's owner calls it.
create function sendcode.erase(p_phone text)
returns table (place text, rows bigint)
language plpgsql
set search_path = sendcode, pg_temp
as $$
#variable_conflict use_column
declare
    v_pseudonym text;
    v_jobs text[];
begin
    if p_phone is null or p_phone !~ '^\+[1-9][0-9]{7,14}$' then
        raise exception 'the phone must be + and 8 to 15 digits, the first not 0'
            using errcode = '22023';
    end if;
    perform lock_phones(array[p_phone]);
    if exists (select from parked p where p.phone = p_phone)
        or exists (select from challenge c where c.phone = p_phone
                     and c.next_state in ('claimed', 'retry', 'in_doubt')) then
        raise exception 'a job of this phone is not decided yet'
            using errcode = '55006',
                  hint = 'try again when sendcodectl timeline shows that its jobs have ended';
    end if;
    -- x: no number of a phone has a letter.
    v_pseudonym := '+' || country_code(p_phone) || 'x'
                   || replace(gen_random_uuid()::text, '-', '');

    with changed as (
        update delivery d set phone = v_pseudonym, client_ip = null
        where d.phone = p_phone returning d.job_id)
    select coalesce(array_agg(c.job_id), '{}') into v_jobs from changed c;
    place := 'deliveries (phone, client_ip)';
    rows := cardinality(v_jobs);
    return next;

    place := 'receipts (phone, raw)';
    update receipt r set phone = v_pseudonym, raw = ''
    where r.job_id = any (v_jobs) or receipt_phone(r.phone) = p_phone
       or position(convert_to(substr(p_phone, 2 + length(country_code(p_phone))), 'UTF8')
                   in r.raw) > 0;
    get diagnostics rows = row_count;
    return next;

    place := 'challenges';
    delete from challenge c where c.phone = p_phone;
    get diagnostics rows = row_count;
    return next;

    place := 'wrong tries';
    delete from wrong_try w where w.phone = p_phone;
    get diagnostics rows = row_count;
    return next;

    place := 'phone limits';
    delete from phone_limit l where l.phone = p_phone;
    get diagnostics rows = row_count;
    return next;
end
$$;

comment on function sendcode.erase(text) is
    'Replaces a phone by a random pseudonym in deliveries and receipts, and deletes its codes, limits
and wrong tries; returns how many rows changed where. The accounts stay whole. Events and dead letters
in Kafka keep what they hold until their topics'' retention ends.';

revoke execute on function sendcode.erase from public;

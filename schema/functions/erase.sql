-- Erasure of a phone, as PIPL and GDPR want it: the accounts stay whole, and nothing leads back.

-- Puts a random pseudonym (+86~abcdefghijkl) in the place of a phone everywhere, and takes codes,
-- limits, addresses and traces of it away. The country code stays, and every count. Refuses (55006)
-- while a job of it is under way. For the schema's owner alone. Unknown jobs are settled no more.
create or replace function sendcode.erase(p_phone text) returns table (place text, rows bigint)
language plpgsql
set search_path = sendcode, pg_temp
set timezone = 'UTC'
as $$
#variable_conflict use_column
declare
    v_code text := country_code(p_phone);
    v_local text;
    v_alias text;
    v_busy record;
    v_known boolean;
begin
    if p_phone is null or p_phone !~ '^\+[1-9][0-9]{7,14}$' then
        raise exception 'the phone must be + and 8 to 15 digits, the first not 0'
            using errcode = '22023';
    end if;
    v_local := substr(p_phone, 2 + length(v_code));
    -- Letters alone: digits could be taken for a number. As long as the longest number.
    v_alias := rpad('+' || v_code || '~',
                    16, translate(replace(gen_random_uuid()::text, '-', ''), '0123456789',
                                  'ghijklmnop'));

    -- No other erasure meanwhile, which may hold a receipt that comes later; and no joining, which
    -- would pass by what is locked here and let a later receipt be the first to stand.
    perform pg_advisory_xact_lock(hashtextextended('sendcode.join_receipts', 0));
    -- Receipts first, as join_receipts locks them.
    perform from receipt r
    where right(r.phone, 4) = right(p_phone, 4) and receipt_phone(r.phone) = p_phone for update;
    v_known := exists (select from phone_limit l where l.phone = p_phone);
    perform lock_phones(array[p_phone]);
    perform from challenge c where c.phone = p_phone for update;
    select d.job_id, greatest(d.deadline, d.not_after) as ends into v_busy
    from delivery d
    where d.phone = p_phone
      and (d.state in ('claimed', 'retry', 'in_doubt')
           or d.state = 'unknown' and d.not_after > clock_timestamp()
           or exists (select from parked p where p.job_id = d.job_id and p.day = d.day
                        and p.kind <> 'unknown'))
    limit 1;
    if found then
        raise exception 'job % of this phone is not decided yet (its deadline is %)',
                        v_busy.job_id, v_busy.ends
            using errcode = '55006',
                  hint = 'try again when sendcodectl timeline shows that its jobs have ended';
    end if;

    -- Where the sweep goes on is a phone, too: it begins its round anew.
    update sweep_position s set phone = '' where s.phone = p_phone;

    place := 'deliveries (phone, client_ip, trace)';
    update delivery d
    set phone = v_alias, client_ip = null, traceparent = null, tracestate = null
    where d.phone = p_phone;
    get diagnostics rows = row_count;
    return next;

    -- One of which nothing is known yet will explain nothing any more. A body that nobody can
    -- understand, and that has the number, in whatever groups, loses its text.
    place := 'receipts (phone, description, raw)';
    update receipt r
    set phone = case when receipt_phone(r.phone) = p_phone then v_alias else r.phone end,
        description = null, raw = '', ask_at = null,
        match = case when r.fault is null then coalesce(r.match, 'orphan') end
    where right(r.phone, 4) = right(p_phone, 4) and receipt_phone(r.phone) = p_phone
       or r.fault is not null
          and position(v_local in translate(encode(r.raw, 'escape'), ' ().-', '')) > 0;
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

    place := 'parked jobs';
    delete from parked p where p.phone = p_phone;
    get diagnostics rows = row_count;
    return next;

    place := 'phone limits';
    delete from phone_limit l where l.phone = p_phone;
    rows := v_known::int;
    return next;
end
$$;

comment on function sendcode.erase(text) is
    'Puts a random pseudonym in the place of a phone in deliveries and receipts, and deletes its
codes, limits and wrong tries; says how many rows changed where. The accounts stay whole. Kafka''s
topics, backups, logs and the provider are outside its reach: docs/PRIVACY.md.';

-- Receipts that could be of one job in doubt are judged together, so that the one that happens to
-- be looked at first settles nothing that another contradicts; and the one that came first stands.

-- What was looked at and belongs to no job yet, by phone: next to nothing.
create index receipt_undecided on sendcode.receipt (phone)
    where job_id is null and fault is null and looked_at is not null and ask_at is not null;

-- What waits for the same phones' jobs as the receipts that were taken, though it is not due yet.
create function sendcode.take_waiting(p_due sendcode.receipt_fact[], p_now timestamptz)
returns setof sendcode.receipt_fact
language plpgsql
as $$
declare
    v_ids bigint[] := array(select t.id from unnest(p_due) t);
begin
    return query
    select n.id, n.received_at, least(n.user_received_at, n.received_at), n.asks, n.source,
           n.serial_no, n.phone, n.status, n.code, n.match, null::text
    from (select distinct t.phone from unnest(p_due) t where t.fault is null) p
    cross join lateral (
        select * from receipt w
        where w.phone = p.phone and w.job_id is null and w.fault is null
          and w.looked_at is not null and w.ask_at is not null
          and w.received_at between p_now - interval '40 days' and p_now + interval '1 day'
          and w.id <> all (v_ids)
        order by w.received_at limit 100 for update skip locked) n;
end
$$;

-- Whether an attempt's evidence says that receipts of more than one message could be its own.
create function sendcode.has_ambiguous_receipts(p_settlement jsonb) returns boolean
language sql immutable
as $$ select p_settlement @> '[{"action": "receipt", "how": "ambiguous"}]' $$;

-- Whether another receipt, of another message, could be about the attempt as well as r, and by
-- itself would settle it; or once could. Then neither does, and the attempt keeps that as evidence.
-- But a job that waits to be sent again must not be: the first settles it. Nor is there any doubt
-- about the attempt's own SerialNo.
create function sendcode.is_ambiguous(r sendcode.receipt_fact, p_facts sendcode.receipt_fact[],
                                      p_from date, p_to date, p_job_id text, p_day date,
                                      p_attempt int) returns boolean
language plpgsql
as $$
declare
    v_could sendcode.receipt_fact[];
    v_own bool;
    v_noted bool;
begin
    select coalesce(t.serial_no = r.serial_no, false),
           coalesce(has_ambiguous_receipts(t.settlement), false)
    into v_own, v_noted
    from attempt t where t.job_id = p_job_id and t.day = p_day and t.attempt = p_attempt;
    if v_own then
        return false;
    elsif not v_noted then
        v_could := array(
            select f from unnest(p_facts) f
            where f.phone = r.phone and f.fault is null and f.serial_no <> r.serial_no
              and exists (select from explain_receipt(f, p_from, p_to) x
                          where x.how = 'settle' and x.job_id = p_job_id
                            and x.attempt = p_attempt)
            limit 10);
        if cardinality(v_could) = 0 then
            return false;
        end if;
        perform note_settlement(p_job_id, p_day, p_attempt, jsonb_build_object(
            'asked_at', r.received_at, 'by', r.source, 'action', 'receipt', 'how', 'ambiguous',
            'records', (select jsonb_agg(jsonb_build_object(
                            'serial_no', f.serial_no, 'accepted', true, 'code', f.code,
                            'at', f.at) order by f.received_at, f.id)
                        from unnest(r || v_could) f)));
    end if;
    return (select d.state <> 'retry' from delivery d where d.job_id = p_job_id and d.day = p_day);
end
$$;

-- Writes what was found out about each receipt, in p_how: known (about p_job_id), wait, none (an
-- orphan after some looks; given up after three days), fault; others are passed. The receipt of a
-- job that came first stands, and moves it; those in p_announced were announced.
create or replace function sendcode.keep_receipts(p_facts sendcode.receipt_fact[], p_how text[],
                                       p_job_id text[], p_day date[], p_announced text[],
                                       p_now timestamptz,
                                       out joined int, out repeats int, out orphans int)
language plpgsql
as $$
declare
    v_from date := (select min(a.day) from unnest(p_day) a(day));
    v_to date := (select max(a.day) from unnest(p_day) a(day));
begin
    with seen as materialized (
        select f.*, f.how = 'known'
                    and row_number() over (partition by f.job_id
                                           order by f.received_at, f.id) = 1 as is_first,
               f.asks >= 10 and f.received_at < p_now - interval '72 hours' as is_over
        from unnest(p_facts, p_how, p_job_id, p_day)
             f(id, received_at, at, asks, source, serial_no, phone, status, code, match, fault, how,
               job_id, day)
    ),
    -- Upserts find their rows by key, whatever the planner believes.
    moved as (
        insert into delivery as d (
            job_id, day, state, reason, seq, changed_at, receipt_at, receipt_code,
            -- Never stored: the row is there. They only satisfy the table.
            phone, scene, topic, partition, incarnation, "offset", epoch, worker, requested_at,
            deadline)
        select s.job_id, s.day,
               case when s.status = 'SUCCESS' then 'delivered' else 'undelivered' end::job_state,
               case when s.status <> 'SUCCESS' then 'carrier' end, o.seq + 1, p_now, s.at, s.code,
               s.phone, '', '', 0, 0, 0, 0, '', p_now, p_now
        from seen s
        cross join lateral (select * from delivery o
                            where o.job_id = s.job_id and o.day between v_from and v_to
                              and (o.day = s.day) is true limit 1) o
        where s.is_first and o.state not in ('delivered', 'undelivered')
        on conflict (job_id, day) do update
        set state = excluded.state, reason = excluded.reason, seq = excluded.seq,
            changed_at = excluded.changed_at, receipt_at = excluded.receipt_at,
            receipt_code = excluded.receipt_code
        returning d.job_id, d.day
    ),
    told as (
        insert into outbox (job_id, day, created_at)
        select m.job_id, m.day, p_now from moved m where not m.job_id = any (p_announced)
    ),
    kept as (
        insert into receipt as r (id, received_at, source, raw, phone, fault, match, job_id, day,
                                  looked_at, asks, ask_at)
        overriding system value
        select s.id, s.received_at, s.source, '', s.phone, s.fault,
               case when s.how = 'known' and s.is_first and m.job_id is not null then 'joined'
                    when s.how = 'known' then 'repeat'
                    when s.how = 'fault' then null
                    when s.is_over or s.how = 'none' and s.asks >= 4 then 'orphan'
                    else s.match end,
               s.job_id, s.day, p_now, s.asks + (s.how in ('wait', 'none'))::int,
               case when s.how in ('wait', 'none') and not s.is_over
                    then p_now + receipt_wait(s.how, s.asks) end
        from seen s
        left join moved m on m.job_id = s.job_id
        where s.how in ('known', 'wait', 'none', 'fault')
        on conflict (id, received_at) do update
        set phone = coalesce(excluded.phone, r.phone), fault = excluded.fault,
            match = excluded.match, job_id = excluded.job_id, day = excluded.day,
            looked_at = excluded.looked_at, asks = excluded.asks, ask_at = excluded.ask_at
        returning r.id, r.match
    )
    select count(*) filter (where k.match = 'joined'), count(*) filter (where k.match = 'repeat'),
           count(*) filter (where k.match = 'orphan' and s.match is null)
    into joined, repeats, orphans
    from kept k join seen s on s.id = k.id;
end
$$;

-- Looks at receipts that are due, at most p_limit and as many orphans, and at what waits for the
-- same phones' jobs: joins them to their jobs, announced through the outbox. joined: they moved
-- their job; repeats: it had its receipt before; orphans: new ones; waiting: how many are not
-- decided then. Nobody is waited for but verify.
create or replace function sendcode.join_receipts(p_limit int)
returns table (joined int, repeats int, orphans int, waiting bigint)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
    v_due receipt_fact[] := array(select t from take_receipts(p_limit, v_now) t);
    v_early bigint[] := '{}';
    v_facts receipt_fact[];
    v_from date;
    v_to date;
    v_phones text[];
    v_held text[];
    v_how text[];
    v_jobs text[];
    v_days date[];
    v_announced text[] := '{}';
    r receipt_fact;
    e record;
begin
    select array_agg(t.id), coalesce(array_agg(t), '{}') into v_early, v_facts
    from take_waiting(v_due, v_now) t;
    v_facts := array(select t from unnest(v_due || v_facts) t order by t.received_at, t.id);
    v_from := (v_facts[1].received_at at time zone 'UTC')::date - 9;
    v_to := (v_facts[cardinality(v_facts)].received_at at time zone 'UTC')::date + 1;

    -- Only phones of ours get a row to lock; the missing ones (nothing was asked of them for long)
    -- are made in the one order of all phones, before anything else is locked.
    v_phones := array(select t.phone from (select distinct u.phone from unnest(v_facts) u) t
                      cross join lateral (select from delivery d
                                          where d.phone = t.phone and d.day between v_from and v_to
                                          limit 1) d);
    insert into phone_limit (phone)
    select p.phone from unnest(v_phones) p(phone) order by p.phone collate "C"
    on conflict do nothing;
    v_held := array(select l.phone from phone_limit l
                    where l.phone = any (v_phones) for update skip locked);

    -- Most name a message that was accepted.
    select array_agg(case when t.fault is not null then 'fault'
                          when not t.phone = any (v_phones) then 'none'
                          when not t.phone = any (v_held) then 'passed'
                          when d.job_id is not null then 'known' end order by t.received_at, t.id),
           array_agg(d.job_id order by t.received_at, t.id),
           array_agg(d.day order by t.received_at, t.id)
    into v_how, v_jobs, v_days
    from unnest(v_facts) t
    left join lateral (select d.job_id, d.day from delivery d
                       where d.phone = t.phone and d.day between v_from and v_to
                         and d.serial_no = t.serial_no and t.phone = any (v_held)
                       order by d.day desc limit 1) d on t.fault is null;
    for i in 1 .. cardinality(v_facts) loop
        continue when v_how[i] is not null;
        r := v_facts[i];
        select * into e from explain_receipt(r, v_from, v_to);
        if e.how = 'settle'
            and is_ambiguous(r, v_facts, v_from, v_to, e.job_id, e.day, e.attempt) then
            e.how := 'wait';
        end if;
        -- Before any delivery is touched: challenges come first.
        if e.how = 'settle' and settle_receipt(r, e.job_id, e.day, e.attempt) then
            v_announced := v_announced || e.job_id;
        end if;
        v_how[i] := case when e.how = 'settle' then 'known'
                         -- Met before its time, it was not looked at in vain.
                         when e.how in ('wait', 'none') and r.id = any (v_early) then 'passed'
                         else e.how end;
        if v_how[i] = 'known' then
            v_jobs[i] := e.job_id;
            v_days[i] := e.day;
        end if;
    end loop;
    select * into joined, repeats, orphans
    from keep_receipts(v_facts, v_how, v_jobs, v_days, v_announced, clock_timestamp());

    -- Counted no further: somebody who floods us is not to make each call slower.
    waiting := (select count(*) from (select from receipt where match is null and fault is null
                                      limit 10000) w);
    return next;
end
$$;

-- Settles a job in doubt, or unknown, whose lease the caller took, with the provider's records of
-- its number; their times count from the taking. p_whole: all are here that there are since its
-- claim (else p_why), so that silence means something p_grace_ms after the last moment at which its
-- request could be accepted. p_resend: what silence calls unsent may be sent again.
--   sent       its record was found, accepted: a fact
--   refused    found, refused: the job goes by its code
--   unsent     none, asked late enough: back to retry while the deadline allows
--   ambiguous  more than one could be it, or one that may be another's, or receipts name more
--              than one: never a second send
--   open       nothing for certain yet
--   passed     the lease is another's, or the job moved on (the other columns are null)
--   odd        its rows contradict each other; left as they are (the other columns are null)
create or replace function sendcode.settle(
    p_worker text, p_job_id text, p_day date, p_lease bigint, p_attempt int, p_grace_ms int,
    p_resend bool, p_whole bool, p_why text, p_serial_no text[], p_after_ms bigint[],
    p_accepted bool[], p_state text[], p_reason text[], p_code text[])
returns table (
    how text, job_id text, phone text, scene text, state text, reason text, seq int,
    provider_code text, serial_no text, attempt int, retry_after int, at timestamptz,
    traceparent text, tracestate text)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_telling_at timestamptz;
    v_unsent bool;
    v_too_often bool;
    v_receipts bool;
    p sendcode.parked;
    d sendcode.delivery;
    j record;
begin
    perform lock_phones(array(select p.phone from parked p
                              where p.job_id = p_job_id and p.day = p_day));
    select * into p from parked p where p.job_id = p_job_id and p.day = p_day for update;
    perform from challenge c where c.phone = p.phone and c.scene = p.scene for update;
    select * into d from delivery d where d.job_id = p_job_id and d.day = p_day for update;
    v_now := clock_timestamp();
    if p.lease is distinct from p_lease or p.kind = 'retry'
        or d.attempts is distinct from p_attempt then
        how := 'passed';
        return next;
        return;
    end if;
    v_telling_at := d.not_after + p_grace_ms * interval '1 millisecond';
    if d.state <> p.kind or d.claimed_at is null or d.not_after is null
        or d.not_after < d.claimed_at or p.leased_at is null
        or d.phone <> p.phone or d.scene <> p.scene then
        update parked p set ask_at = v_now + interval '60 seconds', lease_until = null
        where p.job_id = p_job_id and p.day = p_day;
        how := 'odd';
        return next;
        return;
    end if;

    select * into j
    from judge_records(d, p.leased_at, p_whole, p.leased_at > v_telling_at, p_serial_no,
                       p_after_ms, p_accepted, p_state, p_reason, p_code);
    select coalesce(bool_or(t.outcome in ('not_sent', 'refused') and not t.moved), false),
           coalesce(bool_or(t.outcome = 'refused' and t.moved), false),
           coalesce(bool_or(has_ambiguous_receipts(t.settlement)), false)
    into v_unsent, v_too_often, v_receipts
    from attempt t
    where t.job_id = p_job_id and t.day = p_day and t.attempt = p_attempt;
    how := case
        -- Its own worker, fenced, said that it was not sent: that needs no silence.
        when j.how in ('open', 'unsent') and v_unsent then 'unsent'
        -- Carriers had messages that may be its own.
        when v_receipts and (j.how = 'unsent' or j.how = 'refused' and j.state = 'retry')
            then 'ambiguous'
        -- In doubt for being refused as too often: something was accepted, whatever silence says.
        -- A code that verified was sent; and silence may be told not to suffice.
        when j.how = 'unsent'
            and (v_too_often or d.verified_at is not null
                 or d.state = 'in_doubt' and not p_resend) then 'open'
        else j.how end;

    if how = 'sent' then
        perform settle_sent(d, p.code_id, p_worker, j.attempt, j.serial_no, j.at);
    elsif how in ('refused', 'unsent') then
        perform settle_unsent(
            d, case when how = 'refused' then 'refused' else 'not_sent' end::attempt_outcome,
            case when how = 'refused' and j.state <> 'retry' then j.state
                 when d.deadline > v_now then 'retry' else 'expired' end,
            case when how = 'refused' and j.state <> 'retry' then j.reason
                 when d.deadline > v_now then null else 'deadline' end,
            case when how = 'refused' then j.code end, v_now);
    else
        update parked p
        set ask_at = next_ask(p, v_now, v_telling_at), asks = p.asks + 1, lease_until = null
        where p.job_id = p_job_id and p.day = p_day;
    end if;
    perform note_settlement(p_job_id, p_day, p_attempt, jsonb_build_object(
        'asked_at', p.leased_at, 'by', p_worker, 'action', 'DescribeSendRecordList',
        'whole', p_whole, 'why', p_why, 'how', how,
        'records', (select coalesce(jsonb_agg(jsonb_build_object(
                        'serial_no', s.serial_no, 'accepted', s.accepted, 'state', s.state,
                        'reason', s.reason, 'code', s.code, 'at', date_trunc('second',
                            p.leased_at + s.after_ms * interval '1 millisecond'))), '[]')
                    from unnest(p_serial_no, p_after_ms, p_accepted, p_state, p_reason, p_code)
                         s(serial_no, after_ms, accepted, state, reason, code))));

    return query
    select how, d.job_id, d.phone, d.scene, d.state::text, d.reason, d.seq, d.provider_code,
           d.serial_no, d.attempts, d.retry_after, d.changed_at, d.traceparent, d.tracestate
    from delivery d where d.job_id = p_job_id and d.day = p_day;
end
$$;

revoke execute on function
    sendcode.take_waiting, sendcode.has_ambiguous_receipts, sendcode.is_ambiguous from public;

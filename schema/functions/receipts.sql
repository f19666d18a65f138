-- The carriers' receipts are joined to the jobs. Those that could be of one job in doubt are judged
-- together, so that the one that happens to be looked at first settles nothing that another
-- contradicts; and the one that came first stands.

-- A receipt's phone in the form of a job's; null if it is none.
create or replace function sendcode.receipt_phone(p_phone text) returns text
language sql immutable parallel safe
as $$
    select case
        when p_phone ~ '^\+[1-9][0-9]{7,14}$' then p_phone
        when p_phone ~ '^1[3-9][0-9]{9}$' then '+86' || p_phone
        else substring('+' || ltrim(regexp_replace(p_phone, '[^0-9]', '', 'g'), '0')
                       from '^\+[1-9][0-9]{7,14}$') end
$$;

-- Takes receipts that are due, of which nothing is known, and as many orphans; passes by what
-- others hold. What waited for more than 40 days is left as it is: so few months are met.
create or replace function sendcode.take_receipts(p_limit int, p_now timestamptz)
returns setof sendcode.receipt_fact
language plpgsql
as $$
begin
    return query
    select r.id, r.received_at, least(r.user_received_at, r.received_at), r.asks, r.source,
           r.serial_no, p.phone, r.status, r.code, r.match,
           case when p.phone is null then 'no phone number'
                when coalesce(r.serial_no, '') = '' then 'no SerialNo'
                when r.status is null or r.status not in ('SUCCESS', 'FAIL')
                    then 'a status that is neither SUCCESS nor FAIL' end
    from (
        select * from (
            select * from receipt n
            where n.match is null and n.fault is null and n.ask_at <= p_now
              and n.received_at between p_now - interval '40 days' and p_now + interval '1 day'
            order by n.ask_at limit p_limit for update skip locked) n
        union all
        select * from (
            select * from receipt o
            where o.match = 'orphan' and o.ask_at <= p_now
              and o.received_at between p_now - interval '40 days' and p_now + interval '1 day'
            order by o.ask_at limit p_limit for update skip locked) o) r
    cross join lateral (select receipt_phone(r.phone) as phone offset 0) p;
end
$$;

-- What waits for the same phones' jobs as the receipts that were taken, though it is not due yet.
create or replace function sendcode.take_waiting(p_due sendcode.receipt_fact[], p_now timestamptz)
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

-- Which attempt of the phone's jobs of these days a receipt is about, the phone being locked:
--   known   the attempt was accepted with this SerialNo
--   settle  it was accepted, then: it has the SerialNo though nobody called it accepted, or its job
--           is the only one in doubt (else the only one that silence called unsent) whose message
--           it could be by its time
--   wait    a job under way could be it, or more than one in doubt
--   none    nothing explains it
create or replace function sendcode.explain_receipt(r sendcode.receipt_fact, p_from date,
                                                    p_to date, out how text, out job_id text,
                                                    out day date, out attempt int)
language plpgsql
as $$
#variable_conflict use_column
declare
    v_claimed bool;
    v_kind int;
    v_doubts int;
    v_silent int;
begin
    with tried as materialized (
        select d.job_id, d.day, d.state, t.attempt, t.outcome, t.serial_no,
               t.settlement is not null as asked, w.from_at
        from delivery d
        left join lateral (select * from attempt t
                           where t.job_id = d.job_id and t.day = d.day
                             and t.day between p_from and p_to offset 0) t on true
        cross join lateral (
            -- Before its claim no attempt can be sent.
            select case when t.attempt < d.attempts then t.at else d.claimed_at end as from_at) w
        where d.phone = r.phone and d.day between p_from and p_to
          -- One message, known by its own SerialNo: the others of a much-used phone are passed.
          and (d.serial_no = r.serial_no or d.attempts > 1 or d.duplicate_send
               or d.state not in ('sent', 'delivered', 'undelivered'))
    ),
    possible as (
        -- The surest kind of reason first.
        select k.*, case
            when k.serial_no = r.serial_no and k.outcome = 'accepted' then 1
            when k.serial_no = r.serial_no then 2
            when k.from_at > r.received_at or k.from_at - clock_slack() > r.at
                or k.from_at + interval '72 hours' < r.at then null
            when k.outcome = 'in_doubt' then 3
            when k.outcome = 'not_sent' and k.asked then 4 end as kind
        from tried k
    )
    select (select bool_or(k.state = 'claimed' and k.from_at - clock_slack() <= r.at) from tried k),
           coalesce(min(p.kind), 0), count(distinct p.job_id) filter (where p.kind = 3),
           count(distinct p.job_id) filter (where p.kind = 4),
           (array_agg(p.job_id order by p.kind, p.attempt desc))[1],
           (array_agg(p.day order by p.kind, p.attempt desc))[1],
           (array_agg(p.attempt order by p.kind, p.attempt desc))[1]
    into v_claimed, v_kind, v_doubts, v_silent, explain_receipt.job_id, explain_receipt.day,
         explain_receipt.attempt
    from possible p where p.kind is not null;

    how := case when v_kind = 1 then 'known'
                when v_kind = 2 then 'settle'
                when v_claimed or v_doubts > 1 then 'wait'
                when v_doubts = 1 or v_silent = 1 then 'settle'
                else 'none' end;
end
$$;

-- Whether an attempt's evidence says that receipts of more than one message could be its own.
create or replace function sendcode.has_ambiguous_receipts(p_settlement jsonb) returns boolean
language sql immutable
as $$ select p_settlement @> '[{"action": "receipt", "how": "ambiguous"}]' $$;

-- Whether another receipt, of another message, could be about the attempt as well as r, and by
-- itself would settle it; or once could. Then neither does, and the attempt keeps that as evidence.
-- But a job that waits to be sent again must not be: the first settles it. Nor is there any doubt
-- about the attempt's own SerialNo.
create or replace function sendcode.is_ambiguous(r sendcode.receipt_fact,
                                                 p_facts sendcode.receipt_fact[], p_from date,
                                                 p_to date, p_job_id text, p_day date,
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

-- The attempt of a receipt was accepted: a fact, recorded as if its worker had heard it. Returns
-- whether that was announced.
create or replace function sendcode.settle_receipt(r sendcode.receipt_fact, p_job_id text,
                                                   p_day date, p_attempt int) returns boolean
language plpgsql
as $$
declare
    d sendcode.delivery;
    a record;
begin
    -- Before any delivery of the phone, as verify locks them.
    perform from challenge c where c.phone = r.phone for update;
    select * into d from delivery where job_id = p_job_id and day = p_day;
    select * into a from attempt t
    where t.job_id = p_job_id and t.day = p_day and t.attempt = p_attempt;
    perform settle_sent(
        d, (select p.code_id from parked p where p.job_id = p_job_id and p.day = p_day), d.worker,
        p_attempt, r.serial_no,
        -- No later than the receipt.
        least(a.at + coalesce(a.duration_ms, 0) * interval '1 millisecond', r.at));
    perform note_settlement(p_job_id, p_day, p_attempt, jsonb_build_object(
        'asked_at', r.received_at, 'by', r.source, 'action', 'receipt', 'how', 'sent',
        'records', jsonb_build_array(jsonb_build_object(
            'serial_no', r.serial_no, 'accepted', true, 'code', r.code, 'at', r.at))));
    return d.state not in ('sent', 'delivered', 'undelivered');
end
$$;

-- When a receipt is looked at again. One that waits for its job often, so that silence settles no
-- doubt that it could have; one that nothing explains ever more seldom, since facts may come late.
create or replace function sendcode.receipt_wait(p_how text, p_asks int) returns interval
language sql immutable
as $$
    select interval '1 second' * case
        when p_how = 'none' then least(5 * 3 ^ least(p_asks, 9), 21600)
        when p_asks < 3 then 2 ^ p_asks
        when p_asks < 60 then 5
        else 300 end
$$;

-- Writes what was found out about each receipt, in p_how: known (about p_job_id), wait, none (an
-- orphan after some looks; given up after three days), fault; others are passed. The receipt of a
-- job that came first stands, and moves it; those in p_announced were announced.
create or replace function sendcode.keep_receipts(p_facts sendcode.receipt_fact[], p_how text[],
                                                  p_job_id text[], p_day date[],
                                                  p_announced text[], p_now timestamptz,
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
-- their job; repeats: it had its receipt before; orphans: new ones. Nobody is waited for but verify.
create or replace function sendcode.join_due(p_limit int, out joined int, out repeats int,
                                             out orphans int)
language plpgsql
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
end
$$;

-- What join_due did, and how many receipts are not decided then (waiting). One worker at a time: of
-- two that took a job's receipts apart, the later receipt could be the first to stand.
create or replace function sendcode.join_receipts(p_limit int)
returns table (joined int, repeats int, orphans int, waiting bigint)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
begin
    joined := 0;
    repeats := 0;
    orphans := 0;
    if pg_try_advisory_xact_lock(hashtextextended('sendcode.join_receipts', 0)) then
        select * into joined, repeats, orphans from join_due(p_limit);
    end if;
    -- Counted no further: somebody who floods us is not to make each call slower.
    waiting := (select count(*) from (select from receipt where match is null and fault is null
                                      limit 10000) w);
    return next;
end
$$;

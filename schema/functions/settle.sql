-- Jobs in doubt are settled with what the provider's records say.

-- What the provider's records of the number say about attempt d.attempts of a job in doubt, and
-- which one it is. A record can be an attempt's by its time, and when no other attempt explains it.
-- p_late: records of whatever was accepted must be there by now.
create or replace function sendcode.judge_records(
    d sendcode.delivery, p_leased_at timestamptz, p_whole bool, p_late bool, p_serial_no text[],
    p_after_ms bigint[], p_accepted bool[], p_state text[], p_reason text[], p_code text[],
    out how text, out attempt int, out serial_no text, out at timestamptz, out state text,
    out reason text, out code text)
language plpgsql
as $$
#variable_conflict use_column
declare
    v_last date := (p_leased_at at time zone 'UTC')::date + 1;
    v_accepted int;
    v_refused int;
    v_dim bool;
    v_strange bool;
begin
    with known as materialized (
        -- All other attempts of the phone's jobs.
        select t.job_id = d.job_id as own, t.attempt, t.at, t.outcome, t.serial_no,
               t.at + coalesce(t.duration_ms, 0) * interval '1 millisecond' as done_at,
               t.job_id = d.job_id and t.settlement is not null and t.outcome <> 'refused' as asked
        from delivery o
        cross join lateral (select * from attempt t
                            where t.job_id = o.job_id and t.day = o.day offset 0) t
        where o.phone = d.phone and o.day between d.day - 2 and v_last
          and (t.job_id <> d.job_id or t.attempt <> d.attempts)
    ),
    rivals as materialized (
        -- When other jobs' requests may have arrived that are not decided yet.
        select coalesce(o.claimed_at, '-infinity') - clock_slack() as from_at,
               coalesce(o.not_after, 'infinity') + clock_slack() as to_at
        from delivery o
        where o.phone = d.phone and o.day between d.day - 2 and v_last and o.job_id <> d.job_id
          and (o.state = 'claimed'
               or exists (select from parked p where p.job_id = o.job_id and p.day = o.day
                            and p.kind in ('in_doubt', 'unknown')))
    ),
    tries as materialized (
        select d.attempts as attempt, d.claimed_at - clock_slack() as from_at,
               d.not_after + clock_slack() as to_at
        union all
        -- Settled as unsent before: should a record come later than any should, it shows.
        select k.attempt, k.at - clock_slack(), k.at + (d.not_after - d.claimed_at) + clock_slack()
        from known k where k.asked and k.attempt < d.attempts
    ),
    said as (
        select nullif(s.serial_no, '') as serial_no,
               p_leased_at + s.after_ms * interval '1 millisecond' as at, s.accepted, s.state,
               s.reason, s.code
        from unnest(p_serial_no, p_after_ms, p_accepted, p_state, p_reason, p_code)
             s(serial_no, after_ms, accepted, state, reason, code)
    ),
    unexplained as (
        select s.*, w.attempt,
               exists (select from rivals r where s.at between r.from_at and r.to_at) as rival
        from said s
        left join lateral (select t.attempt from tries t
                           where s.at between t.from_at and t.to_at
                           order by t.attempt desc limit 1) w on true
        where not exists (
            select from known k
            where k.serial_no = s.serial_no and not (k.own and k.outcome = 'accepted')
               or s.serial_no is null and not s.accepted and k.outcome = 'refused'
                  and s.at between k.at - clock_slack() and k.done_at + clock_slack())
          -- An earlier attempt's refusal tells nothing of this one.
          and (s.accepted is not false or coalesce(w.attempt, d.attempts) = d.attempts)
    ),
    candidates as (
        select u.serial_no, max(u.attempt) as attempt, min(u.at) as at,
               coalesce(bool_or(u.accepted), true) as accepted, max(u.state) as state,
               max(u.reason) as reason, max(u.code) as code,
               bool_or(u.rival or u.accepted is null or u.accepted and u.serial_no is null)
                   or bool_or(u.accepted) <> bool_and(u.accepted)
                   or min(u.state) <> max(u.state) as dim
        from unexplained u
        where u.attempt is not null
        group by u.serial_no,
                 case when u.serial_no is null then concat(date_trunc('second', u.at), u.code) end
    )
    select count(*) filter (where c.accepted), count(*) filter (where not c.accepted),
           coalesce(bool_or(c.dim), false),
           (array_agg(c.attempt order by c.accepted desc, c.at))[1],
           (array_agg(c.serial_no order by c.accepted desc, c.at))[1],
           (array_agg(c.at order by c.accepted desc, c.at))[1],
           (array_agg(c.state order by c.accepted desc, c.at))[1],
           (array_agg(c.reason order by c.accepted desc, c.at))[1],
           (array_agg(c.code order by c.accepted desc, c.at))[1],
           -- A message that no job of ours explains, at a time that it could not have.
           exists (select from unexplained u
                   where u.attempt is null and u.accepted is not false)
    into v_accepted, v_refused, v_dim, judge_records.attempt, judge_records.serial_no,
         judge_records.at, judge_records.state, judge_records.reason,
         judge_records.code, v_strange
    from candidates c;

    how := case
        when v_accepted = 1 and not v_dim
            and (v_refused = 0 or v_refused = 1 and judge_records.attempt < d.attempts) then 'sent'
        when v_accepted + v_refused > 1 or v_dim or v_strange then 'ambiguous'
        when v_refused = 1 and d.verified_at is not null then 'ambiguous'
        when v_refused = 1 and judge_records.state in ('rejected', 'limited') then 'refused'
        -- Sent again only when nothing else can turn up.
        when v_refused = 1 and judge_records.state = 'retry' then
            case when p_whole and p_late then 'refused' else 'open' end
        when v_refused = 1 then 'ambiguous'
        when p_whole and p_late then 'unsent'
        else 'open' end;
end
$$;

-- Keeps what a question was answered: an answer that says what the last one said takes its place.
create or replace function sendcode.note_settlement(p_job_id text, p_day date, p_attempt int,
                                                    p_entry jsonb)
returns void
language plpgsql
as $$
begin
    update attempt t
    set settlement = case
        when settlement is null then jsonb_build_array(p_entry)
        when (settlement -> -1) - '{asked_at,since}'::text[] = p_entry - 'asked_at' then
            (settlement - -1) || (p_entry || jsonb_build_object(
                'since', coalesce(settlement -> -1 -> 'since', settlement -> -1 -> 'asked_at')))
        -- Bounded, should the answers change for three days.
        when jsonb_array_length(settlement) >= 50 then (settlement - 0) || p_entry
        else settlement || p_entry end
    where t.job_id = p_job_id and t.day = p_day and t.attempt = p_attempt;
end
$$;

-- The record that was found is a fact, recorded as if its worker had heard it.
create or replace function sendcode.settle_sent(
    d sendcode.delivery, p_code_id bytea, p_worker text, p_attempt int, p_serial_no text,
    p_at timestamptz)
returns void
language plpgsql
as $$
declare
    v_now timestamptz := clock_timestamp();
    a record;
    v_at timestamptz;
    v_proof bytea;
begin
    select * into a from attempt t
    where t.job_id = d.job_id and t.day = d.day and t.attempt = p_attempt;
    v_at := greatest(p_at, a.at, case when p_attempt = d.attempts then d.claimed_at end);
    select case when code_id(c.next_nonce) = p_code_id then c.next_proof
                when code_id(c.live_nonce) = p_code_id then c.live_proof
                when d.job_id in (c.next_job_id, c.doubt_job_id) then c.next_proof end
    into v_proof
    from challenge c where c.phone = d.phone and c.scene = d.scene;
    perform record(
        coalesce(a.worker, p_worker), d.topic, array[d.job_id], array[d.day],
        -- No partition: a fact needs no epoch, and -1 is nobody's.
        array[null::int], array[-1::bigint], array[p_attempt],
        array[(extract(epoch from v_now - v_at) * 1000)::bigint + coalesce(a.duration_ms, 0)],
        array[coalesce(a.duration_ms, 0)], array['accepted'], array['sent'], array[null::text],
        array[null::int], array[coalesce(a.http_status, 0)], array['Ok'],
        array[a.request_id], array[p_serial_no], array[a.fee], array[v_proof]);
    -- How long it took is known no better than before.
    update attempt t set duration_ms = a.duration_ms
    where t.job_id = d.job_id and t.day = d.day and t.attempt = p_attempt;
end
$$;

-- The attempt is certainly no accepted one. A job in doubt goes where p_state says; one that ended
-- unknown stays it, and is asked about no more.
create or replace function sendcode.settle_unsent(d sendcode.delivery,
                                                  p_outcome sendcode.attempt_outcome, p_state text,
                                                  p_reason text, p_code text, p_now timestamptz)
returns void
language plpgsql
as $$
begin
    -- moved: nothing that a former owner says later weakens it.
    update attempt t
    set outcome = p_outcome, moved = true, provider_code = coalesce(p_code, t.provider_code)
    where t.job_id = d.job_id and t.day = d.day and t.attempt = d.attempts;
    if d.state = 'unknown' then
        perform drop_code(d.phone, d.scene, d.job_id);
        delete from parked where job_id = d.job_id and day = d.day;
        return;
    end if;
    perform move_job(d.job_id, d.day, p_state, p_reason, null, p_now);
    if p_code is not null then
        update delivery set provider_code = p_code where job_id = d.job_id and day = d.day;
    end if;
    if p_state <> 'retry' then
        perform drop_next(d.phone, d.scene, d.job_id);
        perform announce_late(d.job_id, d.day, p_now);
        return;
    end if;
    perform clear_doubt(d.phone, d.scene, d.job_id);
    perform wait_next(d.phone, d.scene, d.job_id);
    update parked
    set kind = 'retry', due_at = d.deadline + interval '5 seconds', ask_at = p_now, asks = 0,
        lease_until = null
    where job_id = d.job_id and day = d.day;
    insert into outbox (job_id, day, created_at) values (d.job_id, d.day, p_now);
end
$$;

-- When a job that is not settled is asked about again: later and later, but soon after silence
-- begins to mean something.
create or replace function sendcode.next_ask(p sendcode.parked, p_now timestamptz,
                                             p_telling_at timestamptz)
returns timestamptz
language sql immutable
as $$
    select least(p_now + least(case p.kind when 'unknown' then 60 else 2 end * 2 ^ least(p.asks, 9),
                               case p.kind when 'unknown' then 3600 else 30 end)
                         * interval '1 second',
                 case when p_telling_at > p_now then p_telling_at + interval '1 second' end)
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

-- Parked jobs are taken by any worker, for a while, and released.

-- Leases up to p_limit jobs of one kind, whose deadline is after p_from, and passes by what others
-- hold. In doubt and retry: the latest deadline first; unknown: what waits longest first. The
-- indexes give this order, so that only as many rows are met as are asked for (a subquery, not a
-- join, and no sort, for the same reason).
create or replace function sendcode.lease_parked(p_worker text, p_topic text,
                                                 p_kind sendcode.job_state, p_from timestamptz,
                                                 p_limit int, p_lease_ms int)
returns table (job_id text, day date)
language plpgsql
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
    v_rows tid[];
begin
    if p_limit <= 0 then
        return;
    elsif p_kind = 'unknown' then
        v_rows := array(
            select p.ctid from parked p
            where p.kind = 'unknown' and p.ask_at <= v_now
              and (p.lease_until is null or p.lease_until <= v_now)
              and (p.topic is null or p.topic = p_topic)
              and (select d.topic from delivery d
                   where d.job_id = p.job_id and d.day = p.day limit 1) = p_topic
            order by p.ask_at limit p_limit for update of p skip locked);
    else
        v_rows := array(
            select p.ctid from parked p
            where p.kind = p_kind and p.deadline > p_from and p.ask_at <= v_now
              and (p.lease_until is null or p.lease_until <= v_now)
              and (p.topic is null or p.topic = p_topic)
              and coalesce((select d.topic from delivery d
                            where d.job_id = p.job_id and d.day = p.day limit 1),
                           p.topic) = p_topic
            order by p.deadline desc limit p_limit for update of p skip locked);
    end if;
    -- Once locked, a row keeps its place until it is changed.
    v_now := clock_timestamp();
    return query
    update parked p
    set lease = p.lease + 1, leased_at = v_now, leased_by = p_worker,
        lease_until = v_now + p_lease_ms * interval '1 millisecond'
    where p.ctid = any (v_rows)
    returning p.job_id, p.day;
end
$$;

-- Parked jobs of the topic, each leased to the caller until p_lease_ms have passed: at most
-- p_doubts to ask the provider about (kind doubt: first those in doubt, latest deadline first, then
-- the unknown ones, oldest first; over all workers at most p_per_s in any second), and at most
-- p_retries to claim again (kind retry, latest deadline first). epoch is the partition's newest:
-- whoever claims with it is fenced like its owner. claimed_ago_ms: how far back its messages may
-- lie, since its claim, or since its first attempt that was ever settled. p_grace_ms decides
-- nothing here, but in settle.
create or replace function sendcode.take_parked(p_worker text, p_topic text, p_doubts int,
                                                p_retries int, p_lease_ms int, p_per_s int,
                                                p_grace_ms int)
returns table (
    kind text, lease bigint, job_id text, day date, phone text, scene text, locale text,
    requested_at timestamptz, deadline timestamptz, partition int, incarnation int,
    "offset" bigint, epoch bigint, attempt int, claimed_ago_ms bigint)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz;
    v_asked timestamptz[];
    v_jobs text[];
    v_days date[];
    v_doubts int;
    r record;
begin
    select coalesce(array_agg(l.job_id), '{}'), coalesce(array_agg(l.day), '{}')
    into v_jobs, v_days
    from lease_parked(p_worker, p_topic, 'retry', '-infinity', p_retries, p_lease_ms) l;
    -- Those that somebody claimed, or that ended, are no retries now.
    for r in
        select p.job_id, p.day, p.phone
        from unnest(v_jobs, v_days) a(job_id, day)
        cross join lateral (select * from parked p
                            where p.job_id = a.job_id and p.day = a.day limit 1) p
        left join lateral (select d.state from delivery d
                           where d.job_id = a.job_id and d.day = a.day limit 1) d on true
        where d.state is distinct from 'retry'
    loop
        if try_phone(r.phone) then
            perform resume_retry(r.job_id, r.day, clock_timestamp());
        else
            update parked p set lease_until = null where p.job_id = r.job_id and p.day = r.day;
        end if;
    end loop;

    if p_doubts > 0 then
        -- From here on nobody is waited for: whoever waits here may hold parked rows.
        select asked_at into v_asked from pace for update;
        v_now := clock_timestamp();
        v_asked := array(select a from unnest(v_asked) a
                         where a between v_now - interval '1 second' and v_now);
        v_doubts := least(p_doubts, p_per_s - cardinality(v_asked));
        for r in
            select l.job_id, l.day
            from lease_parked(p_worker, p_topic, 'in_doubt', v_now, v_doubts, p_lease_ms) l
        loop
            v_jobs := v_jobs || r.job_id;
            v_days := v_days || r.day;
            v_asked := v_asked || v_now;
            v_doubts := v_doubts - 1;
        end loop;
        for r in
            select l.job_id, l.day
            from lease_parked(p_worker, p_topic, 'unknown', v_now, v_doubts, p_lease_ms) l
        loop
            v_jobs := v_jobs || r.job_id;
            v_days := v_days || r.day;
            v_asked := v_asked || v_now;
        end loop;
        update pace set asked_at = v_asked where asked_at <> v_asked;
    end if;

    return query
    select case p.kind when 'retry' then 'retry' else 'doubt' end, p.lease, p.job_id, p.day,
           p.phone, p.scene, d.locale, d.requested_at, d.deadline, d.partition, d.incarnation,
           d."offset", coalesce(e.epoch, 0), d.attempts,
           (extract(epoch from p.leased_at - least(d.claimed_at, a.first_at)) * 1000)::bigint
    from unnest(v_jobs, v_days) v(job_id, day)
    cross join lateral (select * from parked p where p.job_id = v.job_id and p.day = v.day
                          and p.lease_until is not null limit 1) p
    cross join lateral (select * from delivery d
                        where d.job_id = p.job_id and d.day = p.day
                          and (p.kind <> 'retry' or d.state = 'retry') limit 1) d
    left join lateral (select o.epoch from partition_epoch o
                       where o.topic = d.topic and o.partition = d.partition limit 1) e on true
    left join lateral (select min(t.at) as first_at from attempt t
                       where t.job_id = d.job_id and t.day = d.day
                         and t.settlement is not null) a on true
    order by p.kind = 'retry', p.kind = 'unknown', case when p.kind = 'unknown' then p.ask_at end,
             p.deadline desc;
end
$$;

-- Gives leases back that are still the caller's. The rows of final jobs go, and the outbox announces
-- them: the caller may not know that a newer job took the place of its own, and an event once more
-- does no harm. The others may be taken again when p_wait_ms have passed.
create or replace function sendcode.release_parked(p_job_id text[], p_day date[], p_lease bigint[],
                                                   p_wait_ms bigint[])
returns void
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    r record;
    v_final bool;
begin
    for r in
        select * from unnest(p_job_id, p_day, p_lease, p_wait_ms) a(job_id, day, lease, wait_ms)
    loop
        -- Who holds it changes it: then it is not ours any more, or lapses.
        perform from parked p
        where p.job_id = r.job_id and p.day = r.day and p.lease = r.lease
        for update skip locked;
        continue when not found;
        v_final := exists (select from delivery d where d.job_id = r.job_id and d.day = r.day
                             and d.state not in ('claimed', 'retry', 'in_doubt', 'unknown'));
        if v_final then
            perform announce_late(r.job_id, r.day, clock_timestamp());
        else
            update parked p
            set lease_until = null,
                ask_at = clock_timestamp() + greatest(0, r.wait_ms) * interval '1 millisecond'
            where p.job_id = r.job_id and p.day = r.day;
        end if;
    end loop;
end
$$;

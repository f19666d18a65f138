-- What any worker does for all of them: moves on what is due, erases what is over, and hands out
-- what no offset protects. Each call does a bounded amount, and passes by what others hold.

-- Moves jobs in doubt whose deadline passed to unknown, announced through the outbox. Settling may
-- go on for three days more; then their rows go.
create function sendcode.end_doubt(p_limit int) returns void
language plpgsql
as $$
declare
    v_now timestamptz;
    r record;
begin
    for r in
        select p.job_id, p.day, p.phone, p.scene
        from parked p
        cross join lateral (select from phone_limit l where l.phone = p.phone limit 1
                            for update skip locked) l
        where p.kind = 'in_doubt' and p.due_at < clock_timestamp()
        order by p.due_at
        limit p_limit
    loop
        v_now := clock_timestamp();
        update parked
        set kind = 'unknown', due_at = v_now + interval '72 hours'
        where job_id = r.job_id and day = r.day and kind = 'in_doubt';
        -- Settled in the meantime.
        continue when not found;
        update challenge c
        set next_state = 'unknown', next_requested_at = null,
            busy_until = (select d.not_after from delivery d
                          where d.job_id = r.job_id and d.day = r.day and d.not_after > v_now)
        where c.phone = r.phone and c.scene = r.scene and c.next_job_id = r.job_id;
        perform move_job(r.job_id, r.day, 'unknown', 'deadline', null, v_now);
        insert into outbox (job_id, day, created_at) values (r.job_id, r.day, v_now);
    end loop;

    delete from parked
    where ctid = any (array(select p.ctid from parked p
                            where p.kind = 'unknown' and p.due_at < clock_timestamp()
                            order by p.due_at limit p_limit for update skip locked));
end
$$;

-- Until when a challenge is needed: a day past the grace of its codes, as long as its windows run
-- and its phone is busy, and while a job is under way (or may be: its deadline is long over then).
create function sendcode.needed_until(c sendcode.challenge) returns timestamptz
language sql immutable
as $$
    select coalesce(greatest(
        c.live_end + sendcode.grace() + interval '24 hours',
        c.next_end + sendcode.grace() + interval '24 hours',
        c.hour_from + interval '1 hour', c.day_from + interval '24 hours',
        c.charged_at + interval '24 hours',
        c.tries_from + c.tries_window * interval '1 second', c.day_tries_from + interval '24 hours',
        c.busy_until, c.next_requested_at + interval '48 hours'), '-infinity')
$$;

-- Deletes those of the phones that have no challenge; passes by those that others hold.
create function sendcode.drop_idle_phones(p_phones text[]) returns void
language plpgsql
as $$
declare
    v_phones text[] := p_phones;
begin
    -- Once they are locked nobody makes a challenge for them; until then somebody may have.
    for v_look in 1 .. 2 loop
        v_phones := array(select a.phone from unnest(v_phones) a(phone)
                          left join lateral (select true as there from challenge c
                                             where c.phone = a.phone limit 1) c on true
                          where c.there is null);
        if v_phones = '{}' then
            return;
        end if;
        v_phones := array(select l.phone from phone_limit l where l.phone = any (v_phones)
                          for update skip locked);
    end loop;
    delete from phone_limit where phone = any (v_phones);
end
$$;

-- Erases codes past their grace, and deletes challenges that nothing needs any more, with phones.
create function sendcode.erase_codes(p_limit int) returns void
language plpgsql
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_rows tid[];
    v_phones text[];
begin
    -- Once locked, a row keeps its place.
    v_rows := array(select ctid from challenge where sweep_at <= v_now
                    order by sweep_at limit p_limit for update skip locked);
    with gone as (
        delete from challenge c where ctid = any (v_rows) and needed_until(c) <= v_now
        returning phone)
    select array_agg(distinct phone) into v_phones from gone;
    update challenge c
    set live_nonce = case when live_end + grace() > v_now then live_nonce end,
        live_proof = case when live_end + grace() > v_now then live_proof end,
        live_key_id = case when live_end + grace() > v_now then live_key_id end,
        next_nonce = case when next_end + grace() > v_now then next_nonce end,
        next_proof = case when next_end + grace() > v_now then next_proof end,
        next_key_id = case when next_end + grace() > v_now then next_key_id end,
        sweep_at = coalesce(
            least(case when live_proof is not null and live_end + grace() > v_now
                       then live_end + grace() end,
                  case when next_proof is not null and next_end + grace() > v_now
                       then next_end + grace() end),
            needed_until(c))
    where ctid = any (v_rows);
    perform drop_idle_phones(v_phones);
end
$$;

-- Where drop_phones goes on.
create table sendcode.sweep_position (
    phone text collate "C" not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.sweep_position values ('');

-- Deletes phones that never got a challenge, some at a time, going round and round.
create function sendcode.drop_phones(p_limit int) returns void
language plpgsql
as $$
declare
    v_from text;
    v_phones text[];
begin
    select phone into v_from from sweep_position for update skip locked;
    -- Another worker is at it.
    if not found then
        return;
    end if;
    v_phones := array(select phone from phone_limit where phone > v_from order by phone
                      limit p_limit);
    update sweep_position
    set phone = case when cardinality(v_phones) < p_limit then '' else v_phones[p_limit] end;
    perform drop_idle_phones(v_phones);
end
$$;

-- Returns how many jobs are parked in doubt.
create function sendcode.sweep() returns table (in_doubt bigint)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
begin
    perform end_doubt(500);
    -- Many: a busy second's codes end in one second, too.
    perform erase_codes(5000);
    perform drop_phones(1000);
    perform make_partitions((now() at time zone 'UTC')::date, 3);
    return query select count(*) from parked where kind = 'in_doubt';
end
$$;

-- Rows to announce: never taken, or taken so long ago that their worker must have died. With each
-- the job as it is now.
create function sendcode.outbox_take(p_limit int)
returns table (
    id bigint, job_id text, phone text, scene text, state text, reason text, seq int,
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
    v_ids bigint[];
begin
    v_ids := array(
        select o.id from outbox o
        where o.taken_at is null or o.taken_at < clock_timestamp() - interval '10 seconds'
        order by o.id limit p_limit for update skip locked);
    if v_ids = '{}' then
        return;
    end if;
    update outbox o set taken_at = clock_timestamp() where o.id = any (v_ids);
    return query
    select o.id, d.job_id, d.phone, d.scene, d.state::text, d.reason, d.seq, d.provider_code,
           d.serial_no, d.attempts, d.retry_after, d.changed_at, d.traceparent, d.tracestate
    from outbox o
    cross join lateral (select * from delivery d
                        where d.job_id = o.job_id and d.day = o.day limit 1) d
    where o.id = any (v_ids)
    order by o.id;
end
$$;

-- Their events are acked.
create function sendcode.outbox_done(p_ids bigint[]) returns void
language sql security definer
set search_path = sendcode, pg_temp
as $$
    delete from outbox where id = any (p_ids)
$$;

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

-- Erases codes past their grace, and deletes challenges that nothing needs any more: codes a day
-- past their grace, windows over, no job under way (or one whose record Kafka has long forgotten).
create function sendcode.erase_codes(p_limit int) returns void
language plpgsql
as $$
declare
    v_now timestamptz := clock_timestamp();
    r record;
begin
    for r in
        select c.phone, c.scene,
               c.live_proof is not null and coalesce(c.live_end + grace() <= v_now, true)
                   as live_over,
               c.next_proof is not null and coalesce(c.next_end + grace() <= v_now, true)
                   as next_over,
               least(case when c.live_proof is not null and c.live_end + grace() > v_now
                          then c.live_end + grace() end,
                     case when c.next_proof is not null and c.next_end + grace() > v_now
                          then c.next_end + grace() end) as over_next,
               greatest(c.live_end + grace() + interval '24 hours',
                        c.next_end + grace() + interval '24 hours',
                        c.hour_from + interval '1 hour', c.day_from + interval '24 hours',
                        c.charged_at + interval '24 hours',
                        c.tries_from + c.tries_window * interval '1 second',
                        c.day_tries_from + interval '24 hours', c.busy_until,
                        c.next_requested_at + interval '48 hours') as over_all
        from challenge c
        where c.sweep_at <= v_now
        order by c.sweep_at
        limit p_limit
        for update skip locked
    loop
        if r.over_next is null and coalesce(r.over_all <= v_now, true) then
            delete from challenge where phone = r.phone and scene = r.scene;
            continue;
        end if;
        update challenge
        set sweep_at = coalesce(r.over_next, r.over_all),
            live_nonce = case when not r.live_over then live_nonce end,
            live_proof = case when not r.live_over then live_proof end,
            live_key_id = case when not r.live_over then live_key_id end,
            next_nonce = case when not r.next_over then next_nonce end,
            next_proof = case when not r.next_over then next_proof end,
            next_key_id = case when not r.next_over then next_key_id end
        where phone = r.phone and scene = r.scene;
    end loop;
end
$$;

-- Where drop_phones goes on.
create table sendcode.sweep_position (
    phone text collate "C" not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.sweep_position values ('');

-- Those of the phones that have no challenge.
create function sendcode.idle_phones(p_phones text[]) returns text[]
language sql stable
as $$
    select array(select a.phone from unnest(p_phones) a(phone)
                 left join lateral (select true as there from sendcode.challenge c
                                    where c.phone = a.phone limit 1) c on true
                 where c.there is null)
$$;

-- Deletes phones without a challenge, some at a time, going round and round.
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
    v_phones := idle_phones(v_phones);
    if v_phones <> '{}' then
        -- Once they are locked nobody makes a challenge for them; until then somebody may have.
        v_phones := array(select l.phone from phone_limit l where l.phone = any (v_phones)
                          for update skip locked);
        delete from phone_limit where phone = any (idle_phones(v_phones));
    end if;
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
    perform erase_codes(500);
    perform drop_phones(500);
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

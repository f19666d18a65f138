-- What any worker does for all of them: moves on what is due, and erases what is over. Each call
-- does a bounded amount, and passes by what others hold.

-- Moves jobs in doubt whose deadline passed to unknown, announced through the outbox. Settling may
-- go on for three days more; then their rows go.
create or replace function sendcode.end_doubt(p_limit int) returns void
language plpgsql
as $$
declare
    v_now timestamptz;
    r record;
begin
    for r in
        select p.job_id, p.day, p.phone, p.scene
        from parked p
        where p.kind = 'in_doubt' and p.due_at < clock_timestamp()
        order by p.due_at
        limit p_limit
    loop
        continue when not try_phone(r.phone);
        v_now := clock_timestamp();
        update parked p
        set kind = 'unknown', due_at = v_now + interval '72 hours', ask_at = v_now, asks = 0
        where p.job_id = r.job_id and p.day = r.day and p.kind = 'in_doubt'
          and exists (select from delivery d where d.job_id = p.job_id and d.day = p.day
                        and d.state = 'in_doubt');
        if not found then
            -- Settled in the meantime; or it cannot be, and is left as it is.
            update parked set due_at = v_now + interval '60 seconds'
            where job_id = r.job_id and day = r.day and kind = 'in_doubt';
            continue;
        end if;
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

-- Ends parked retries whose deadline is over, and those of workers that died.
create or replace function sendcode.end_retries(p_limit int) returns void
language plpgsql
as $$
declare
    r record;
begin
    for r in
        select p.job_id, p.day, p.phone from parked p
        where p.kind = 'retry' and p.due_at < clock_timestamp()
        order by p.due_at
        limit p_limit
    loop
        if try_phone(r.phone) then
            perform resume_retry(r.job_id, r.day, clock_timestamp());
        end if;
    end loop;
end
$$;

-- Until when a challenge is needed: a day past the grace of its codes, as long as its windows run
-- and its phone is busy, and while a job is under way (or may be: its deadline is long over then).
create or replace function sendcode.needed_until(c sendcode.challenge) returns timestamptz
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

-- Erases codes past their grace, and deletes challenges that nothing needs any more, with phones.
create or replace function sendcode.erase_codes(p_limit int) returns void
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

-- Deletes those of the phones that have no challenge and no window that runs; passes by those that
-- others hold.
create or replace function sendcode.drop_idle_phones(p_phones text[]) returns void
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
    delete from phone_limit
    where phone = any (v_phones)
      and coalesce(day_from + interval '24 hours' <= clock_timestamp(), true)
      and coalesce(provider_day < provider_day(clock_timestamp()), true);
end
$$;

-- Deletes addresses whose windows are over, and phones that never got a challenge, some at a time,
-- the phones going round and round.
create or replace function sendcode.drop_phones(p_limit int) returns void
language plpgsql
as $$
declare
    v_from text;
    v_phones text[];
begin
    -- Once locked, a row keeps its place.
    delete from address_limit
    where ctid = any (array(select ctid from address_limit where over_at <= clock_timestamp()
                            order by over_at limit p_limit for update skip locked));

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
create or replace function sendcode.sweep() returns table (in_doubt bigint)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
begin
    perform end_doubt(500);
    perform end_retries(500);
    -- Many: a busy second's codes end in one second, too.
    perform erase_codes(5000);
    perform drop_phones(1000);
    perform make_partitions((now() at time zone 'UTC')::date, 3);
    return query select count(*) from parked where kind = 'in_doubt';
end
$$;

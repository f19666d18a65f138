-- Parked jobs can be taken: leases share the work of settling them among workers. A parked row
-- stands for the job's offset, which is done; its lease only for who works on it. What may happen
-- to the job rests on its phone's lock, its state, its attempt and its partition's epoch as ever.

alter table sendcode.parked drop constraint parked_kind_check;
-- kind retry: settled as certainly unsent, and not final since, or not yet announced.
alter table sendcode.parked
    add constraint parked_kind_check check (kind in ('in_doubt', 'retry', 'unknown')),
    -- Raised at each taking, and when the job is parked anew.
    add column lease bigint not null default 0,
    add column lease_until timestamptz,
    add column leased_at timestamptz,
    add column leased_by text,
    -- Not taken before; how often it was asked about in vain.
    add column ask_at timestamptz not null default now(),
    add column asks int not null default 0,
    -- Null: parked before this migration.
    add column topic text,
    -- Which code the job carried (sendcode.code_id).
    add column code_id bytea;

create index parked_deadline on sendcode.parked (kind, deadline);
create index parked_unknown on sendcode.parked (ask_at) where kind = 'unknown';
create index parked_phone on sendcode.parked (phone);

-- What the provider said about the attempt when it was in doubt, an object a question.
alter table sendcode.attempt add column settlement jsonb;

-- When the provider's records were asked for last, over all workers.
create table sendcode.pace (
    asked_at timestamptz[] not null default '{}'
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.pace default values;

-- Tells codes apart without telling anything about them: a nonce is random and erased.
create function sendcode.code_id(p_nonce bytea) returns bytea
language sql immutable parallel safe
as $$ select substr(sha256(p_nonce), 1, 8) $$;

update sendcode.parked p
set code_id = sendcode.code_id(c.next_nonce)
from sendcode.challenge c
where c.phone = p.phone and c.scene = p.scene and p.job_id in (c.next_job_id, c.doubt_job_id);

-- Locks a phone, unless another holds it.
create function sendcode.try_phone(p_phone text) returns boolean
language plpgsql
as $$
begin
    insert into phone_limit (phone) values (p_phone) on conflict do nothing;
    perform from phone_limit where phone = p_phone for update skip locked;
    return found;
end
$$;

-- The latest other job, in doubt or unknown, that carried the code of this nonce.
create function sendcode.other_doubt(p_phone text, p_scene text, p_job_id text, p_nonce bytea,
                                     out job_id text, out day date)
language plpgsql
as $$
#variable_conflict use_column
begin
    select p.job_id, p.day into other_doubt.job_id, other_doubt.day
    from parked p
    where p.phone = p_phone and p.scene = p_scene and p.job_id <> p_job_id
      and p.kind in ('in_doubt', 'unknown') and p.code_id = code_id(p_nonce)
    order by p.parked_at desc limit 1;
end
$$;

-- A job may be at the provider no longer: another one that carried its code is named in its stead.
create function sendcode.clear_doubt(p_phone text, p_scene text, p_job_id text) returns void
language plpgsql
as $$
begin
    update challenge c
    set (doubt_job_id, doubt_day) =
        (select o.job_id, o.day from other_doubt(p_phone, p_scene, p_job_id, c.next_nonce) o)
    where c.phone = p_phone and c.scene = p_scene and c.doubt_job_id = p_job_id;
end
$$;

-- A job is certainly unsent, for good: its code leaves the next place, unless another job that
-- may have been sent carried it.
create function sendcode.drop_code(p_phone text, p_scene text, p_job_id text) returns void
language plpgsql
as $$
begin
    update challenge c
    set (doubt_job_id, doubt_day) =
        (select o.job_id, o.day from other_doubt(p_phone, p_scene, p_job_id, c.next_nonce) o)
    where c.phone = p_phone and c.scene = p_scene
      and (c.doubt_job_id = p_job_id or c.next_job_id = p_job_id and c.doubt_job_id is null);

    update challenge
    set next_job_id = doubt_job_id, next_day = doubt_day, next_state = 'unknown',
        next_requested_at = null, busy_until = null
    where phone = p_phone and scene = p_scene and next_job_id = p_job_id
      and doubt_job_id is not null;

    update challenge
    set next_job_id = null, next_day = null, next_state = null, next_requested_at = null,
        next_nonce = null, next_proof = null, next_key_id = null, next_length = null,
        next_start = null, next_end = null, busy_until = null
    where phone = p_phone and scene = p_scene and next_job_id = p_job_id;
end
$$;

-- The same, of a job that was charged: its cooldown is given back if nothing was charged since.
create or replace function sendcode.drop_next(p_phone text, p_scene text, p_job_id text)
returns boolean
language plpgsql
as $$
begin
    update challenge
    set charged_job_id = null, charged_at = null
    where phone = p_phone and scene = p_scene and charged_job_id = p_job_id;
    perform drop_code(p_phone, p_scene, p_job_id);
    return true;
end
$$;

-- A job may have been sent: it is parked, and its code in the next place marked as in doubt. The
-- provider is asked a second later: by then its records may have it.
create or replace function sendcode.park(p_job_id text, p_day date, p_now timestamptz)
returns boolean
language plpgsql
as $$
declare
    d record;
begin
    select * into d from delivery where job_id = p_job_id and day = p_day;
    insert into parked as p (job_id, day, kind, phone, scene, topic, due_at, deadline, not_after,
                             parked_at, ask_at, code_id)
    values (d.job_id, d.day, 'in_doubt', d.phone, d.scene, d.topic, d.deadline, d.deadline,
            d.not_after, p_now, p_now + interval '1 second',
            (select code_id(c.next_nonce) from challenge c
             where c.phone = d.phone and c.scene = d.scene and c.next_job_id = d.job_id))
    on conflict (job_id, day) do update
    set kind = 'in_doubt', topic = excluded.topic, due_at = excluded.due_at,
        deadline = excluded.deadline, not_after = excluded.not_after,
        parked_at = excluded.parked_at, ask_at = excluded.ask_at, asks = 0,
        code_id = excluded.code_id, lease = p.lease + 1, lease_until = null;
    update challenge
    set next_state = 'in_doubt',
        doubt_job_id = case when next_proof is not null then d.job_id end,
        doubt_day = case when next_proof is not null then d.day end
    where phone = d.phone and scene = d.scene and next_job_id = d.job_id;
    return true;
end
$$;

-- Moves a parked job of kind retry on, its phone being locked: it was claimed by a worker that did
-- not come back, ended unannounced, or its deadline is over.
create function sendcode.resume_retry(p_job_id text, p_day date, p_now timestamptz) returns void
language plpgsql
as $$
declare
    p record;
    d record;
begin
    select * into p from parked where job_id = p_job_id and day = p_day and kind = 'retry'
    for update skip locked;
    if not found then
        return;
    end if;
    -- Before its delivery, as verify locks them.
    perform from challenge c where c.phone = p.phone and c.scene = p.scene for update;
    select * into d from delivery where job_id = p_job_id and day = p_day;
    if d.state is null or d.state in ('in_doubt', 'unknown')
        or d.state = 'claimed' and (d.takeover_at is null or d.not_after is null) then
        -- Cannot be: left as it is.
        update parked
        set ask_at = p_now + interval '60 seconds', lease_until = null,
            due_at = greatest(due_at, p_now + interval '60 seconds')
        where job_id = p_job_id and day = p_day;
    elsif d.state = 'claimed' and p_now < d.takeover_at then
        update parked
        set ask_at = d.takeover_at, lease_until = null, due_at = greatest(due_at, d.takeover_at)
        where job_id = p_job_id and day = p_day;
    elsif d.state = 'claimed' and was_unsent(p_job_id, p_day, d.attempts) then
        perform move_job(p_job_id, p_day, 'retry', null, null, p_now);
        perform wait_next(d.phone, d.scene, p_job_id);
        insert into outbox (job_id, day, created_at) values (p_job_id, p_day, p_now);
    elsif d.state = 'claimed' then
        perform take_over(p_job_id, p_day, p_now);
        insert into outbox (job_id, day, created_at) values (p_job_id, p_day, p_now);
    elsif d.state <> 'retry' then
        perform announce_late(p_job_id, p_day, p_now);
    elsif p.due_at < p_now then
        perform move_job(p_job_id, p_day, 'expired', 'deadline', null, p_now);
        perform drop_next(d.phone, d.scene, p_job_id);
        perform announce_late(p_job_id, p_day, p_now);
    end if;
end
$$;

-- Ends parked retries whose deadline is over, and those of workers that died.
create function sendcode.end_retries(p_limit int) returns void
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

revoke execute on function sendcode.code_id, sendcode.try_phone, sendcode.other_doubt,
    sendcode.clear_doubt, sendcode.drop_code, sendcode.resume_retry, sendcode.end_retries
    from public;

-- The moves of a job and of its code: those that more than one function makes, and those of claim that
-- are rare. They are called with the search_path of the function that calls them, which is pinned;
-- nobody else may execute them.

-- A decision of a claim about a job that is known.
create or replace function sendcode.move_job(p_job_id text, p_day date, p_state text,
                                             p_reason text, p_retry_after int, p_now timestamptz)
returns boolean
language plpgsql
as $$
begin
    update delivery
    set state = p_state::job_state, reason = p_reason, retry_after = p_retry_after, seq = seq + 1,
        changed_at = p_now
    where job_id = p_job_id and day = p_day;
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

-- Tells codes apart without telling anything about them: a nonce is random and erased.
create or replace function sendcode.code_id(p_nonce bytea) returns bytea
language sql immutable parallel safe
as $$ select substr(sha256(p_nonce), 1, 8) $$;

-- The latest other job, in doubt or unknown, that carried the code of this nonce.
create or replace function sendcode.other_doubt(p_phone text, p_scene text, p_job_id text,
                                                p_nonce bytea, out job_id text, out day date)
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
create or replace function sendcode.clear_doubt(p_phone text, p_scene text, p_job_id text)
returns void
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
create or replace function sendcode.drop_code(p_phone text, p_scene text, p_job_id text)
returns void
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

-- A job is certainly unsent, for good: its cooldown is given back if nothing was charged since, and
-- the provider did not count it. Then its code leaves the next place, as drop_code says.
create or replace function sendcode.drop_next(p_phone text, p_scene text, p_job_id text)
returns boolean
language plpgsql
as $$
begin
    update phone_limit
    set provider_jobs = array_remove(provider_jobs, p_job_id)
    where phone = p_phone and p_job_id = any (provider_jobs);
    update challenge
    set charged_job_id = null, charged_at = null
    where phone = p_phone and scene = p_scene and charged_job_id = p_job_id;
    perform drop_code(p_phone, p_scene, p_job_id);
    return true;
end
$$;

-- Moves a parked job of kind retry on, its phone being locked: it was claimed by a worker that did
-- not come back, ended unannounced, or its deadline is over.
create or replace function sendcode.resume_retry(p_job_id text, p_day date, p_now timestamptz)
returns void
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

-- This attempt is known not to have been sent. A function, so that claims, which seldom ask, need not
-- lock the partitions of attempt.
create or replace function sendcode.was_unsent(p_job_id text, p_day date, p_attempt int)
returns boolean
language plpgsql
as $$
begin
    return exists (select from attempt where job_id = p_job_id and day = p_day
                     and attempt = p_attempt and outcome in ('not_sent', 'refused'));
end
$$;

-- The next attempt of a waiting job.
create or replace function sendcode.reclaim(p_job_id text, p_day date, p_epoch bigint,
                                            p_worker text, p_claim_id uuid, p_now timestamptz,
                                            p_takeover_at timestamptz, p_not_after timestamptz)
returns boolean
language plpgsql
as $$
begin
    update delivery
    set epoch = p_epoch, worker = p_worker, claim_id = p_claim_id, attempts = attempts + 1,
        claimed_at = p_now, takeover_at = p_takeover_at, not_after = p_not_after
    where job_id = p_job_id and day = p_day;
    return move_job(p_job_id, p_day, 'claimed', null, null, p_now);
end
$$;

-- A job was claimed by a worker that did not come back in time: parked, with a row for its attempt.
create or replace function sendcode.take_over(p_job_id text, p_day date, p_now timestamptz)
returns boolean
language plpgsql
as $$
begin
    insert into attempt (job_id, day, attempt, at, recorded_at, outcome, moved, worker)
    select job_id, day, attempts, claimed_at, p_now, 'in_doubt', false, worker
    from delivery where job_id = p_job_id and day = p_day
    on conflict do nothing;
    perform move_job(p_job_id, p_day, 'in_doubt', null, null, p_now);
    return park(p_job_id, p_day, p_now);
end
$$;

-- A record whose job is known from another one.
create or replace function sendcode.note_duplicate(p_topic text, p_partition int,
                                                   p_incarnation int, p_offset bigint,
                                                   p_job_id text, p_now timestamptz)
returns boolean
language plpgsql
as $$
begin
    insert into record_other (topic, partition, incarnation, "offset", at, what, job_id)
    values (p_topic, p_partition, p_incarnation, p_offset, p_now, 'duplicate', p_job_id)
    on conflict do nothing;
    return true;
end
$$;

-- What claim and record share: the locks that they take, in the one order that all functions keep
-- (epochs, phones and jobs, each sorted; then challenges, which the phones guard; then
-- deliveries), and the moves that are rare. These functions are called with the search_path of
-- the function that calls them, which is pinned; nobody else may execute them.

-- How long after its end a code still verifies: the SMS says whole minutes.
create function sendcode.grace() returns interval
language sql immutable
as $$ select interval '30 seconds' $$;

-- How long Kafka keeps a job's record: nobody takes over a claim that is older.
create function sendcode.record_life() returns interval
language sql immutable
as $$ select interval '72 hours' $$;

-- Holds the epochs of these partitions until the transaction ends, and returns the partitions with
-- their epochs and the next offset that is new in their present incarnation.
create function sendcode.lock_epochs(p_topic text, p_partition int[], out partitions int[],
                                     out epochs bigint[], out next_offsets bigint[])
language plpgsql
as $$
begin
    select array_agg(e.partition), array_agg(e.epoch), array_agg(coalesce(e.next_offset, 0))
    into partitions, epochs, next_offsets
    from (select o.partition, o.epoch, g.next_offset
          from partition_epoch o
          left join partition_progress g on g.topic = o.topic and g.partition = o.partition
                                        and g.incarnation = o.incarnation
          where o.topic = p_topic and o.partition = any (p_partition)
          order by o.partition for share of o) e;
end
$$;

-- Locks the phones, and makes the rows that are missing: an upsert that updates nothing locks what
-- it meets. Whoever holds a phone is alone with its challenges, but for verify, unlock and sweep.
create function sendcode.lock_phones(p_phone text[]) returns void
language plpgsql
as $$
begin
    insert into phone_limit (phone)
    select distinct a.phone collate "C" as phone from unnest(p_phone) a(phone)
    where a.phone is not null order by phone
    on conflict (phone) do update set phone = excluded.phone where false;
end
$$;

-- A job is certainly unsent, for good: its code leaves the next place, unless another job that
-- may have been sent carried it, and its cooldown is given back if nothing was charged since.
create function sendcode.drop_next(p_phone text, p_scene text, p_job_id text) returns boolean
language plpgsql
as $$
begin
    update challenge
    set charged_job_id = null, charged_at = null
    where phone = p_phone and scene = p_scene and charged_job_id = p_job_id;

    update challenge
    set next_job_id = doubt_job_id, next_day = doubt_day, next_state = 'unknown',
        next_requested_at = null, busy_until = null
    where phone = p_phone and scene = p_scene and next_job_id = p_job_id
      and doubt_job_id <> p_job_id;

    update challenge
    set next_job_id = null, next_day = null, next_state = null, next_requested_at = null,
        next_nonce = null, next_proof = null, next_key_id = null, next_length = null,
        next_start = null, next_end = null, doubt_job_id = null, doubt_day = null,
        busy_until = null
    where phone = p_phone and scene = p_scene and next_job_id = p_job_id;
    return true;
end
$$;

-- A job may have been sent: it is parked, and its code in the next place marked as in doubt.
create function sendcode.park(p_job_id text, p_day date, p_now timestamptz) returns boolean
language plpgsql
as $$
declare
    d record;
begin
    select * into d from delivery where job_id = p_job_id and day = p_day;
    insert into parked (job_id, day, kind, phone, scene, due_at, deadline, not_after, parked_at)
    values (d.job_id, d.day, 'in_doubt', d.phone, d.scene, d.deadline, d.deadline, d.not_after,
            p_now)
    on conflict do nothing;
    update challenge
    set next_state = 'in_doubt',
        doubt_job_id = case when next_proof is not null then d.job_id end,
        doubt_day = case when next_proof is not null then d.day end
    where phone = d.phone and scene = d.scene and next_job_id = d.job_id;
    return true;
end
$$;

-- A decision of a claim about a job that is known.
create function sendcode.move_job(p_job_id text, p_day date, p_state text, p_reason text,
                                  p_retry_after int, p_now timestamptz) returns boolean
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

-- The next attempt of a waiting job.
create function sendcode.reclaim(p_job_id text, p_day date, p_epoch bigint, p_worker text,
                                 p_claim_id uuid, p_now timestamptz, p_takeover_at timestamptz,
                                 p_not_after timestamptz) returns boolean
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
create function sendcode.take_over(p_job_id text, p_day date, p_now timestamptz) returns boolean
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

-- This attempt is known not to have been sent. A function, so that claims, which seldom ask, need not
-- lock the partitions of attempt.
create function sendcode.was_unsent(p_job_id text, p_day date, p_attempt int) returns boolean
language plpgsql
as $$
begin
    return exists (select from attempt where job_id = p_job_id and day = p_day
                     and attempt = p_attempt and outcome in ('not_sent', 'refused'));
end
$$;

-- A job will be tried again: its code stays in the next place.
create function sendcode.wait_next(p_phone text, p_scene text, p_job_id text) returns boolean
language plpgsql
as $$
begin
    update challenge set next_state = 'retry', busy_until = null
    where phone = p_phone and scene = p_scene and next_job_id = p_job_id;
    return true;
end
$$;

-- A fact moved a job whose record may be done already: only the outbox announces it.
create function sendcode.announce_late(p_job_id text, p_day date, p_now timestamptz)
returns boolean
language plpgsql
as $$
begin
    delete from parked where job_id = p_job_id and day = p_day;
    insert into outbox (job_id, day, created_at) values (p_job_id, p_day, p_now);
    return true;
end
$$;

-- A record whose job is known from another one.
create function sendcode.note_duplicate(p_topic text, p_partition int, p_incarnation int,
                                        p_offset bigint, p_job_id text, p_now timestamptz)
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

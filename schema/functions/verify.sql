-- Verification of codes, and the budget of tries.

-- One try, however many digests (a digest of the code under each verify key, one to four). The call
-- must be committed whatever the verdict: a rollback takes the count back.
--   ok       right and in time: every code of the phone and scene is spent, the tries cleared;
--            job_id is the latest job that carried the code and was not certainly unsent
--   wrong    counted; tries_left remain
--   locked   not looked at, not counted; retry_after says how long
--   expired  no code lives, and the last one's grace ended less than 24 hours ago; not counted
--   none     no code, or already used; not counted
create or replace function sendcode.verify(p_phone text, p_scene text, p_client_ip inet,
                                           variadic p_digests bytea[] default '{}',
                                           out verdict text, out tries_left int,
                                           out retry_after interval, out job_id text)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    c record;
    v_now timestamptz;
    v_proofs bytea[];
    v_tries int;
    v_day_tries int;
    v_locked_until timestamptz;
    v_is_next boolean;
    v_is_live boolean;
    v_job_id text;
    v_day date;
begin
    if p_phone is null or p_phone !~ '^\+[1-9][0-9]{7,14}$' then
        raise exception 'the phone must be + and 8 to 15 digits, the first not 0'
            using errcode = '22023';
    elsif p_scene is null then
        raise exception 'the scene must not be null' using errcode = '22023';
    elsif p_digests is null or array_ndims(p_digests) <> 1
        or cardinality(p_digests) not between 1 and 4
        or exists (select from unnest(p_digests) d where d is null or length(d) <> 32) then
        raise exception 'one to four digests are needed, each of 32 bytes'
            using errcode = '22023';
    end if;
    v_proofs := array(select sha256(d) from unnest(p_digests) d);

    -- A transaction left open keeps the row's lock, and workers with it that claim a job of this phone.
    perform set_config('idle_in_transaction_session_timeout', '2s', true);
    select * into c from challenge where phone = p_phone and scene = p_scene for update;
    v_now := clock_timestamp();
    -- The last code's grace ended too long ago, or there is none (a null end compares as null).
    if not coalesce(greatest(c.live_end, c.next_end) + grace() + interval '24 hours' > v_now,
                    false) then
        verdict := 'none';
        return;
    end if;

    v_tries := case when c.tries_from + c.tries_window * interval '1 second' > v_now
                    then c.tries else 0 end;
    v_day_tries := case when c.day_tries_from + interval '24 hours' > v_now
                        then c.day_tries else 0 end;
    v_locked_until := greatest(
        case when v_tries >= c.max_tries
             then c.tries_from + c.tries_window * interval '1 second' end,
        case when v_day_tries >= c.max_tries_day
             then c.day_tries_from + interval '24 hours' end);
    if v_locked_until is not null then
        verdict := 'locked';
        tries_left := 0;
        retry_after := v_locked_until - v_now;
        return;
    end if;

    v_is_live := coalesce(c.live_proof is not null and v_now < c.live_end + grace(), false);
    v_is_next := coalesce(c.next_proof is not null and v_now < c.next_end + grace(), false);
    if not v_is_live and not v_is_next then
        verdict := 'expired';
        tries_left := least(c.max_tries - v_tries, c.max_tries_day - v_day_tries);
        return;
    end if;

    v_is_live := v_is_live and c.live_proof = any (v_proofs);
    v_is_next := v_is_next and c.next_proof = any (v_proofs);
    if not v_is_live and not v_is_next then
        v_tries := v_tries + 1;
        v_day_tries := v_day_tries + 1;
        update challenge
        set tries = v_tries, day_tries = v_day_tries,
            tries_from = case when v_tries = 1 then v_now else tries_from end,
            day_tries_from = case when v_day_tries = 1 then v_now else day_tries_from end
        where phone = p_phone and scene = p_scene;
        insert into wrong_try (phone, scene, at, client_ip)
        values (p_phone, p_scene, v_now, p_client_ip);
        verdict := 'wrong';
        tries_left := least(c.max_tries - v_tries, c.max_tries_day - v_day_tries);
        return;
    end if;

    -- A waiting job is certainly unsent: then another one brought the code, if any did.
    if v_is_next and (c.next_state <> 'retry' or c.doubt_job_id is null and not v_is_live) then
        v_job_id := c.next_job_id;
        v_day := c.next_day;
    elsif v_is_next and c.doubt_job_id is not null then
        v_job_id := c.doubt_job_id;
        v_day := c.doubt_day;
    else
        -- A later job that carried it may be in doubt, though another code took its place: rare.
        if exists (select from parked p where p.phone = p_phone) then
            select o.job_id, o.day into v_job_id, v_day
            from other_doubt(p_phone, p_scene, c.live_job_id, c.live_nonce) o
            where exists (select from delivery d
                          where d.job_id = o.job_id and d.day = o.day
                            and d.requested_at >= c.live_requested_at);
        end if;
        if v_job_id is null then
            v_job_id := c.live_job_id;
            v_day := c.live_day;
        end if;
    end if;
    -- A job under way stays in the next place, without a code; a spent code leaves nothing.
    update challenge
    set tries = 0, day_tries = 0, tries_from = null, day_tries_from = null,
        next_nonce = null, next_proof = null, next_key_id = null, next_length = null,
        next_start = null, next_end = null, doubt_job_id = null, doubt_day = null,
        live_nonce = null, live_proof = null, live_key_id = null, live_length = null,
        live_start = null, live_end = null, live_job_id = null, live_day = null,
        live_requested_at = null
    where phone = p_phone and scene = p_scene;
    update delivery set verified_at = v_now where job_id = v_job_id and day = v_day;
    verdict := 'ok';
    job_id := v_job_id;
end
$$;

-- Gives the tries of all scenes of a phone back; returns how many scenes had any wrong ones.
create or replace function sendcode.unlock(p_phone text) returns int
language plpgsql security definer
set search_path = sendcode, pg_temp
as $$
declare
    v_scenes int;
begin
    perform from phone_limit where phone = p_phone for update;
    update challenge
    set tries = 0, day_tries = 0, tries_from = null, day_tries_from = null
    where phone = p_phone and (tries > 0 or day_tries > 0);
    get diagnostics v_scenes = row_count;
    return v_scenes;
end
$$;

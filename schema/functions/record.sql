-- Results of attempts, recorded for a batch in one call.

-- Whether the expired and erased code in the next place, of these jobs, is the one that p_job_id
-- carried. Rare, so a function of its own: inlined, it would cost every record its setting up.
create or replace function sendcode.carried_erased(p_next_job_id text, p_doubt_job_id text,
                                                   p_job_id text, p_day date) returns boolean
language plpgsql
as $$
begin
    return p_job_id in (p_next_job_id, p_doubt_job_id)
        or exists (select from parked p
                   join parked o on o.phone = p.phone and o.scene = p.scene
                                    and o.code_id = p.code_id
                   where p.job_id = p_job_id and p.day = p_day
                     and o.job_id in (p_next_job_id, p_doubt_job_id));
end
$$;

-- A job will be tried again: its code stays in the next place.
create or replace function sendcode.wait_next(p_phone text, p_scene text, p_job_id text)
returns boolean
language plpgsql
as $$
begin
    update challenge set next_state = 'retry', busy_until = null
    where phone = p_phone and scene = p_scene and next_job_id = p_job_id;
    return true;
end
$$;

-- A fact moved a job whose record may be done already: only the outbox announces it.
create or replace function sendcode.announce_late(p_job_id text, p_day date, p_now timestamptz)
returns boolean
language plpgsql
as $$
begin
    delete from parked where job_id = p_job_id and day = p_day;
    insert into outbox (job_id, day, created_at) values (p_job_id, p_day, p_now);
    return true;
end
$$;

-- One row of answer for each attempt, with the job's state as it is now (job_id null: no such job).
-- p_state sent is a fact: it holds whatever the epoch. The other states are decisions: they move a
-- job only while it is claimed for this attempt by this epoch and the epoch is the newest. applied:
-- the job moved, now or when the same was recorded before. The attempt is kept in any case.
create or replace function sendcode.record(
    p_worker text, p_topic text, p_job_id text[], p_day date[], p_partition int[],
    p_epoch bigint[], p_attempt int[], p_age_ms bigint[], p_duration_ms int[], p_outcome text[],
    p_state text[], p_reason text[], p_retry_after int[], p_http_status int[],
    p_provider_code text[], p_request_id text[], p_serial_no text[], p_fee int[],
    p_proof bytea[])
returns table (
    idx int, applied boolean, duplicate_send boolean,
    job_id text, phone text, scene text, state text, reason text, seq int, provider_code text,
    serial_no text, attempt int, retry_after int, at timestamptz, traceparent text,
    tracestate text)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_partitions int[];
    v_epochs bigint[];
    v_phones text[];
    v_rounds int[];
    v_round int;
    v_last_round int;
    v_now timestamptz;
    v_from date := (select min(a.day) from unnest(p_day) a(day));
    v_to date := (select max(a.day) from unnest(p_day) a(day));
begin
    select l.partitions, l.epochs into v_partitions, v_epochs
    from lock_epochs(p_topic, p_partition) l;

    -- A phone's jobs one after the other: what one leaves, the next must see.
    select array_agg(k.phone), array_agg(k.round order by k.i), max(k.round)
    into v_phones, v_rounds, v_last_round
    from (select a.i, d.phone,
                 (row_number() over (partition by coalesce(d.phone, a.i::text) order by a.i))::int
                     as round
          from unnest(p_job_id, p_day) with ordinality a(job_id, day, i)
          left join lateral (select d.phone from delivery d
                             where d.job_id = a.job_id and d.day between v_from and v_to
                               -- "is true": no partition is looked for once a row.
                               and (d.day = a.day) is true limit 1) d on true) k;

    perform lock_phones(v_phones);
    v_now := clock_timestamp();

    for v_round in 1 .. v_last_round loop
        return query
        -- Each level is computed once a row ("offset 0" keeps the planner from merging them).
        with dec as materialized (
            select s.*, p.moved as repeated, s.moves::int + s.seq as new_seq,
                   case when s.late then 'expired' when s.moves then s.asked
                        else s.state::text end as new_state,
                   case when s.late then 'deadline' when s.moves then p_reason[s.i]
                        else s.reason end as new_reason,
                   case when s.moves and not s.late then p_retry_after[s.i]
                        when not s.moves then s.retry_after end as new_retry_after,
                   case when s.moves then p_provider_code[s.i]
                        else s.provider_code end as new_provider_code,
                   case when s.kind in ('accept', 'match') then p_serial_no[s.i]
                        else s.serial_no end as new_serial_no,
                   case when s.moves then v_now else s.changed_at end as new_changed_at,
                   nullif(p_fee[s.i], 0) as fee
            from (
                select k.*, k.kind in ('accept', 'decide') as moves,
                       k.kind = 'decide' and k.asked = 'retry' and k.deadline <= v_now as late
                from (
                    select a.i, a.job_id, p_day[a.i] as day, p_attempt[a.i] as attempt,
                           p_state[a.i] as asked, a.owner, d.phone, d.scene, d.state, d.reason,
                           d.seq, d.attempts, d.provider_code, d.serial_no, d.retry_after,
                           d.changed_at, d.traceparent, d.tracestate, d.deadline, d.requested_at,
                           d.duplicate_send, d.accepted_at, d.accepted_attempt, d.segments,
                           case
                           when d.job_id is null then 'gone'
                           when p_state[a.i] = 'sent' then case
                               when d.state not in ('sent', 'delivered', 'undelivered')
                                   then 'accept'
                               when d.accepted_attempt = p_attempt[a.i]
                                   and d.serial_no is not distinct from p_serial_no[a.i]
                                   then 'same'
                               -- A receipt came first, and said nothing of the attempt.
                               when d.accepted_attempt is null then 'match'
                               else 'double' end
                           when d.state = 'claimed' and d.attempts = p_attempt[a.i]
                               and d.epoch = p_epoch[a.i] and a.owner then 'decide'
                           else 'stale' end as kind
                    from (
                        select u.job_id, u.i::int as i,
                               v_epochs[array_position(v_partitions, p_partition[u.i::int])]
                                   is not distinct from p_epoch[u.i::int] as owner
                        from unnest(p_job_id) with ordinality u(job_id, i)
                        where v_rounds[u.i::int] = v_round
                        offset 0) a
                    left join lateral (
                        select * from delivery d
                        where d.job_id = a.job_id and d.day between v_from and v_to
                          and (d.day = p_day[a.i]) is true limit 1) d on true
                    offset 0) k
                offset 0) s
            left join lateral (
                -- The same, recorded before: its answer was lost.
                select t.moved from attempt t
                where s.kind = 'stale' and t.job_id = s.job_id and t.day = s.day
                  and t.day between v_from and v_to and t.attempt = s.attempt
                  and t.outcome = p_outcome[s.i]::attempt_outcome and t.moved
                limit 1) p on true
        ),
        -- Accepted: the code that was sent becomes the live one (only its times, if it expired and
        -- was erased), and what this job has in the next
        -- place leaves it; what another has there stays.
        lives as (
            select e.job_id, e.day, e.requested_at, x.*,
                   x.next_job_id is not distinct from e.job_id as own,
                   case when x.next_proof is null and x.next_end is not null
                        then carried_erased(x.next_job_id, x.doubt_job_id, e.job_id, e.day)
                        else coalesce(x.next_proof = p_proof[e.i], false)
                             and x.live_proof is distinct from x.next_proof end as goes_live,
                   -- The latest job that the live code was sent for is the one to name.
                   coalesce(x.live_proof = p_proof[e.i], false)
                       and e.requested_at >= x.live_requested_at as lives
            from dec e
            cross join lateral (select * from challenge x
                                where x.phone = e.phone and x.scene = e.scene limit 1
                                for update) x
            where e.kind = 'accept'
        ),
        challenges as (
            insert into challenge as c (
                phone, scene, sweep_at, busy_until, max_tries, tries_window, max_tries_day,
                live_job_id, live_day, live_requested_at, live_nonce, live_proof, live_key_id,
                live_length, live_start, live_end, doubt_job_id, doubt_day, next_job_id, next_day,
                next_state, next_requested_at, next_nonce, next_proof, next_key_id, next_length,
                next_start, next_end)
            select x.phone, x.scene, x.sweep_at, case when not x.own then x.busy_until end,
                   x.max_tries, x.tries_window, x.max_tries_day,
                   case when x.goes_live or x.lives then x.job_id else x.live_job_id end,
                   case when x.goes_live or x.lives then x.day else x.live_day end,
                   case when x.goes_live or x.lives then x.requested_at
                        else x.live_requested_at end,
                   case when x.goes_live then x.next_nonce else x.live_nonce end,
                   case when x.goes_live then x.next_proof else x.live_proof end,
                   case when x.goes_live then x.next_key_id else x.live_key_id end,
                   case when x.goes_live then x.next_length else x.live_length end,
                   case when x.goes_live then x.next_start else x.live_start end,
                   case when x.goes_live then x.next_end else x.live_end end,
                   case when not x.own and x.doubt_job_id <> x.job_id then x.doubt_job_id end,
                   case when not x.own and x.doubt_job_id <> x.job_id then x.doubt_day end,
                   case when not x.own then x.next_job_id end,
                   case when not x.own then x.next_day end,
                   case when not x.own then x.next_state end,
                   case when not x.own then x.next_requested_at end,
                   case when not x.own then x.next_nonce end,
                   case when not x.own then x.next_proof end,
                   case when not x.own then x.next_key_id end,
                   case when not x.own then x.next_length end,
                   case when not x.own then x.next_start end,
                   case when not x.own then x.next_end end
            from lives x
            on conflict (phone, scene) do update
            set busy_until = excluded.busy_until, live_job_id = excluded.live_job_id,
                live_day = excluded.live_day,
                live_requested_at = excluded.live_requested_at, live_nonce = excluded.live_nonce,
                live_proof = excluded.live_proof, live_key_id = excluded.live_key_id,
                live_length = excluded.live_length, live_start = excluded.live_start,
                live_end = excluded.live_end, doubt_job_id = excluded.doubt_job_id,
                doubt_day = excluded.doubt_day, next_job_id = excluded.next_job_id,
                next_day = excluded.next_day, next_state = excluded.next_state,
                next_requested_at = excluded.next_requested_at, next_nonce = excluded.next_nonce,
                next_proof = excluded.next_proof, next_key_id = excluded.next_key_id,
                next_length = excluded.next_length, next_start = excluded.next_start,
                next_end = excluded.next_end
            returning 1
        ),
        deliveries as (
            insert into delivery as d (
                job_id, day, state, reason, seq, retry_after, provider_code, serial_no, changed_at,
                accepted_at, accepted_attempt, duplicate_send, segments,
                -- Never stored: the row is there. They only satisfy the table.
                phone, scene, topic, partition, incarnation, "offset", epoch, worker, requested_at,
                deadline)
            select e.job_id, e.day, e.new_state::job_state, e.new_reason, e.new_seq,
                   e.new_retry_after, e.new_provider_code, e.new_serial_no, e.new_changed_at,
                   case when e.kind in ('accept', 'match') then v_now
                            - greatest(0, p_age_ms[e.i] - p_duration_ms[e.i])
                              * interval '1 millisecond'
                        else e.accepted_at end,
                   case when e.kind in ('accept', 'match') then e.attempt
                        else e.accepted_attempt end,
                   e.duplicate_send or e.kind = 'double',
                   case when e.kind in ('accept', 'match', 'double')
                        then coalesce(e.segments + e.fee, e.fee, e.segments)
                        else e.segments end,
                   e.phone, e.scene, p_topic, 0, 0, 0, 0, p_worker, e.requested_at, e.deadline
            from dec e
            where e.kind in ('accept', 'match', 'double', 'decide')
              -- Challenges come first: verify locks in this order too.
              and (select count(*) from challenges) is not null
            on conflict (job_id, day) do update
            set state = excluded.state, reason = excluded.reason, seq = excluded.seq,
                retry_after = excluded.retry_after, provider_code = excluded.provider_code,
                serial_no = excluded.serial_no, changed_at = excluded.changed_at,
                accepted_at = excluded.accepted_at, accepted_attempt = excluded.accepted_attempt,
                duplicate_send = excluded.duplicate_send, segments = excluded.segments
        ),
        attempts as (
            insert into attempt as t (job_id, day, attempt, at, recorded_at, duration_ms, outcome,
                                      moved, http_status, provider_code, request_id, serial_no,
                                      fee, worker)
            select e.job_id, e.day, e.attempt, v_now - p_age_ms[e.i] * interval '1 millisecond',
                   v_now, p_duration_ms[e.i],
                   p_outcome[e.i]::attempt_outcome, e.moves,
                   nullif(p_http_status[e.i], 0), p_provider_code[e.i], p_request_id[e.i],
                   p_serial_no[e.i], e.fee, p_worker
            from dec e
            where e.kind <> 'gone' and e.kind <> 'same'
            on conflict (job_id, day, attempt) do update
            set recorded_at = excluded.recorded_at, duration_ms = excluded.duration_ms,
                outcome = excluded.outcome, moved = t.moved or excluded.moved,
                http_status = excluded.http_status, provider_code = excluded.provider_code,
                request_id = excluded.request_id, serial_no = excluded.serial_no,
                fee = excluded.fee, worker = excluded.worker
            where t.outcome <> 'accepted' and (not t.moved or excluded.outcome = 'accepted')
        )
        select e.i, e.kind in ('accept', 'match', 'same', 'decide') or e.repeated is true,
               e.kind = 'double',
               case when e.kind <> 'gone' then e.job_id end, e.phone, e.scene, e.new_state,
               e.new_reason, e.new_seq, e.new_provider_code, e.new_serial_no, e.attempts,
               e.new_retry_after, e.new_changed_at, e.traceparent, e.tracestate
        from dec e
        -- What is rare is done row by row, so that it costs the others nothing.
        where case
              when e.kind = 'accept' and (e.state not in ('claimed', 'retry') or not e.owner)
                  then announce_late(e.job_id, e.day, v_now)
              when e.kind <> 'decide' then true
              when e.new_state = 'in_doubt' then park(e.job_id, e.day, v_now)
              when e.new_state = 'retry' then wait_next(e.phone, e.scene, e.job_id)
              else drop_next(e.phone, e.scene, e.job_id) end;
    end loop;
end
$$;

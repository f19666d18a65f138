-- Results of attempts, recorded for a batch in one call.

-- One row of answer for each attempt, with the job's state as it is now (job_id null: no such job).
-- p_state sent is a fact: it holds whatever the epoch. The other states are decisions: they move a
-- job only while it is claimed for this attempt by this epoch and the epoch is the newest. applied:
-- the job moved, now or when the same was recorded before. The attempt is kept in any case.
create function sendcode.record(
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
    v_scenes text[];
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
    select array_agg(k.phone order by k.i), array_agg(k.scene order by k.i),
           array_agg(k.round order by k.i), max(k.round)
    into v_phones, v_scenes, v_rounds, v_last_round
    from (select a.i, d.phone, d.scene,
                 (row_number() over (partition by coalesce(d.phone, a.i::text) order by a.i))::int
                     as round
          from unnest(p_job_id, p_day) with ordinality a(job_id, day, i)
          left join lateral (select d.phone, d.scene from delivery d
                             where d.job_id = a.job_id and d.day = a.day
                               and d.day between v_from and v_to) d on true) k;

    perform from phone_limit where phone = any (v_phones) order by phone for update;
    perform from (select distinct a.phone, a.scene from unnest(v_phones, v_scenes) a(phone, scene)) a
    join challenge c on c.phone = a.phone and c.scene = a.scene
    order by c.phone, c.scene for update of c;
    v_now := clock_timestamp();

    for v_round in 1 .. v_last_round loop
        return query
        with ask as materialized (
            select a.i, a.job_id, p_day[a.i] as day, p_attempt[a.i] as attempt,
                   p_epoch[a.i] as epoch, p_state[a.i] as asked,
                   v_epochs[array_position(v_partitions, p_partition[a.i])]
                       is not distinct from p_epoch[a.i] as owner,
                   v_now - p_age_ms[a.i] * interval '1 millisecond' as began
            from (select u.job_id, u.i::int as i
                  from unnest(p_job_id) with ordinality u(job_id, i)) a
            where v_rounds[a.i] = v_round
        ),
        seen as materialized (
            select a.*, d.phone, d.scene, d.state, d.reason, d.seq, d.attempts, d.provider_code,
                   d.serial_no, d.retry_after, d.changed_at, d.traceparent, d.tracestate,
                   d.deadline, d.requested_at, d.duplicate_send, d.job_id as known_id,
                   case
                   when d.job_id is null then 'gone'
                   when a.asked = 'sent' then case
                       when d.state not in ('sent', 'delivered', 'undelivered') then 'accept'
                       when d.accepted_attempt = a.attempt
                           and d.serial_no is not distinct from p_serial_no[a.i] then 'same'
                       -- A receipt came first, and said nothing of the attempt.
                       when d.accepted_attempt is null then 'late'
                       else 'double' end
                   when d.state = 'claimed' and d.epoch = a.epoch and d.attempts = a.attempt
                       and a.owner then 'decide'
                   else 'stale' end as kind
            from ask a
            left join lateral (
                select * from delivery d
                where d.job_id = a.job_id and d.day = a.day
                  and d.day between v_from and v_to) d on true
        ),
        dec as materialized (
            select s.*,
                   p.moved as repeated,
                   case when s.kind in ('accept', 'decide') then 1 else 0 end + s.seq as new_seq,
                   case when s.kind = 'decide' and s.asked = 'retry' and s.deadline <= v_now
                        then 'expired'
                        when s.kind in ('accept', 'decide') then s.asked
                        else s.state::text end as new_state,
                   case when s.kind = 'decide' and s.asked = 'retry' and s.deadline <= v_now
                        then 'deadline'
                        when s.kind in ('accept', 'decide') then p_reason[s.i]
                        else s.reason end as new_reason,
                   case when s.kind in ('accept', 'decide') then p_retry_after[s.i]
                        else s.retry_after end as new_retry_after,
                   case when s.kind in ('accept', 'decide') then p_provider_code[s.i]
                        else s.provider_code end as new_provider_code,
                   case when s.kind in ('accept', 'late') then p_serial_no[s.i]
                        else s.serial_no end as new_serial_no,
                   case when s.kind in ('accept', 'decide') then v_now
                        else s.changed_at end as new_changed_at
            from seen s
            left join lateral (
                -- The same, recorded before: its answer was lost.
                select t.moved from attempt t
                where s.kind = 'stale' and t.job_id = s.job_id and t.day = s.day
                  and t.day between v_from and v_to and t.attempt = s.attempt
                  and t.outcome = p_outcome[s.i]::attempt_outcome and t.moved) p on true
        ),
        deliveries as (
            update delivery d
            set state = e.new_state::job_state, reason = e.new_reason, seq = e.new_seq,
                retry_after = e.new_retry_after, provider_code = e.new_provider_code,
                serial_no = e.new_serial_no, changed_at = e.new_changed_at,
                accepted_at = case when e.kind in ('accept', 'late') then least(v_now,
                        e.began + p_duration_ms[e.i] * interval '1 millisecond')
                    else d.accepted_at end,
                accepted_attempt = case when e.kind in ('accept', 'late') then e.attempt
                    else d.accepted_attempt end,
                duplicate_send = d.duplicate_send or e.kind = 'double'
            from dec e
            where d.job_id = e.job_id and d.day = e.day and d.day between v_from and v_to
              and e.kind in ('accept', 'late', 'double', 'decide')
        ),
        attempts as (
            insert into attempt as t (job_id, day, attempt, at, recorded_at, duration_ms, outcome,
                                      moved, http_status, provider_code, request_id, serial_no,
                                      fee, worker)
            select e.job_id, e.day, e.attempt, e.began, v_now, p_duration_ms[e.i],
                   p_outcome[e.i]::attempt_outcome, e.kind in ('accept', 'decide'),
                   nullif(p_http_status[e.i], 0), p_provider_code[e.i], p_request_id[e.i],
                   p_serial_no[e.i], p_fee[e.i], p_worker
            from dec e
            where e.kind <> 'gone' and e.kind <> 'same'
            on conflict (job_id, day, attempt) do update
            set recorded_at = excluded.recorded_at, duration_ms = excluded.duration_ms,
                outcome = excluded.outcome, moved = t.moved or excluded.moved,
                http_status = excluded.http_status, provider_code = excluded.provider_code,
                request_id = excluded.request_id, serial_no = excluded.serial_no,
                fee = excluded.fee, worker = excluded.worker
            where t.outcome <> 'accepted' and (not t.moved or excluded.outcome = 'accepted')
        ),
        -- Accepted: the code that was sent becomes the live one. Other ends leave to drop_next.
        challenges as (
            update challenge c
            set live_nonce = case when f.is_next then c.next_nonce else c.live_nonce end,
                live_proof = case when f.is_next then c.next_proof else c.live_proof end,
                live_key_id = case when f.is_next then c.next_key_id else c.live_key_id end,
                live_length = case when f.is_next then c.next_length else c.live_length end,
                live_start = case when f.is_next then c.next_start else c.live_start end,
                live_end = case when f.is_next then c.next_end else c.live_end end,
                live_job_id = case when f.carries then f.job_id else c.live_job_id end,
                live_day = case when f.carries then f.day else c.live_day end,
                live_requested_at = case when f.carries then f.requested_at
                                         else c.live_requested_at end,
                doubt_job_id = case when not f.own and c.doubt_job_id <> f.job_id
                                    then c.doubt_job_id end,
                doubt_day = case when not f.own and c.doubt_job_id <> f.job_id
                                 then c.doubt_day end,
                next_job_id = case when not f.own then c.next_job_id end,
                next_day = case when not f.own then c.next_day end,
                next_state = case when not f.own then c.next_state end,
                next_requested_at = case when not f.own then c.next_requested_at end,
                next_nonce = case when not f.own then c.next_nonce end,
                next_proof = case when not f.own then c.next_proof end,
                next_key_id = case when not f.own then c.next_key_id end,
                next_length = case when not f.own then c.next_length end,
                next_start = case when not f.own then c.next_start end,
                next_end = case when not f.own then c.next_end end
            from (
                select x.phone, x.scene, e.job_id, e.day, e.requested_at,
                       x.next_job_id is not distinct from e.job_id as own,
                       -- The code stands in the next place, and is not the live one already.
                       coalesce(x.next_proof = p_proof[e.i], false)
                           and x.live_proof is distinct from x.next_proof as is_next,
                       -- This is the latest accepted job of the code that is live from now on.
                       coalesce(x.live_proof = p_proof[e.i], false)
                           and e.requested_at >= x.live_requested_at
                           or coalesce(x.next_proof = p_proof[e.i], false)
                           and x.live_proof is distinct from x.next_proof as carries
                from dec e
                join challenge x on x.phone = e.phone and x.scene = e.scene
                where e.kind = 'accept') f
            where c.phone = f.phone and c.scene = f.scene
        ),
        phones as (
            update phone_limit p
            set busy_job_id = null, busy_day = null, busy_until = null
            from dec e
            where p.phone = e.phone and p.busy_job_id = e.job_id
              and (e.kind = 'accept' or e.kind = 'decide' and e.new_state <> 'in_doubt')
        )
        select e.i, e.kind in ('accept', 'late', 'same', 'decide') or e.repeated is true,
               e.kind = 'double',
               e.known_id, e.phone, e.scene, e.new_state, e.new_reason, e.new_seq,
               e.new_provider_code, e.new_serial_no, e.attempts, e.new_retry_after,
               e.new_changed_at, e.traceparent, e.tracestate
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

-- Claims: what may be sent, decided for a batch of records in one call.

-- One row of answer for each record. verdict: send | decided | known | duplicate | busy | wait |
-- fenced | future. The status columns are null with busy, wait, fenced and future, for which
-- nothing is written but how far the partition was met. Asking again with the same p_claim_id gives a claimed job's answer again.
-- At most one job of a phone is claimed a call, the newest; the others are told busy.
create function sendcode.claim(
    p_claim_id uuid, p_worker text, p_topic text, p_takeover_ms int, p_not_after_ms int,
    p_known_keys bytea[],
    p_partition int[], p_offset bigint[], p_incarnation int[], p_epoch bigint[],
    p_job_id text[], p_phone text[], p_scene text[], p_requested_at timestamptz[],
    p_deadline timestamptz[], p_locale text[], p_client_ip text[], p_traceparent text[],
    p_tracestate text[], p_refusal text[],
    p_ttl int[], p_resend_same bool[], p_code_length int[], p_cooldown int[], p_per_hour int[],
    p_per_day int[], p_max_tries int[], p_tries_window int[], p_max_tries_day int[],
    p_nonce bytea[], p_proof bytea[], p_key_id bytea[])
returns table (
    idx int, verdict text, wait_ms bigint, day date, deadline_in_ms bigint, life_ms bigint,
    code_length int, nonce bytea, proof bytea, key_id bytea,
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
    v_next_offsets bigint[];
    v_now timestamptz;
    v_today date;
    v_from date;
    v_to date;
begin
    select * into v_partitions, v_epochs, v_next_offsets from lock_epochs(p_topic, p_partition);
    perform lock_phones(p_phone);
    perform lock_challenges(p_phone, p_scene);
    -- One job_id at a time: the key (job_id, day) does not stop a second record of another day.
    perform pg_advisory_xact_lock(k.key)
    from (select distinct hashtextextended(a.job_id, 0) as key from unnest(p_job_id) a(job_id)
          order by 1) k;
    v_now := clock_timestamp();
    v_today := (v_now at time zone 'UTC')::date;
    -- The days that any probe below may meet: prunes partitions once a statement.
    select least(v_today, (min(a.at) at time zone 'UTC')::date) - 1,
           greatest(v_today, (max(a.at) at time zone 'UTC')::date) + 1
    into v_from, v_to
    from unnest(p_requested_at) a(at);

    return query
    with ask as materialized (
        select a.i, a.job_id, p_phone[a.i] as phone, p_scene[a.i] as scene,
               p_requested_at[a.i] as requested_at, p_deadline[a.i] as deadline,
               (p_requested_at[a.i] at time zone 'UTC')::date as day,
               p_requested_at[a.i] < v_now - interval '24 hours' as old,
               p_partition[a.i] as partition, p_incarnation[a.i] as incarnation,
               p_offset[a.i] as "offset", p_epoch[a.i] as epoch,
               array_position(v_partitions, p_partition[a.i]) as slot
        from (select u.job_id, u.i::int as i
              from unnest(p_job_id) with ordinality u(job_id, i)) a
    ),
    -- What is known of each record, and so what is to be done with it.
    seen as materialized (
        select a.*, d.day as known_day, d.phone as known_phone, d.scene as known_scene,
               d.state, d.reason, d.seq, d.attempts, d.provider_code, d.serial_no, d.retry_after,
               d.changed_at, d.traceparent, d.tracestate, d.claimed_at, d.takeover_at, d.not_after,
               d.worker, coalesce(d.deadline, a.deadline) as due,
               row_number() over (partition by a.job_id order by a.i) as nr,
               case
               when v_epochs[a.slot] is distinct from a.epoch then 'fenced'
               when d.partition <> a.partition or d."offset" <> a."offset"
                   or d.incarnation <> a.incarnation or d.topic <> p_topic then 'duplicate'
               when d.state = 'retry' then 'again'
               when d.state = 'claimed' then case
                   when d.claim_id = p_claim_id and d.epoch = a.epoch then 'repeat'
                   when v_now < d.takeover_at then 'wait'
                   else 'takeover' end
               when d.job_id is not null then 'known'
               when a.requested_at > v_now + interval '5 minutes' or o.known then 'future'
               when a.old or a.deadline <= v_now then 'expired'
               when p_refusal[a.i] is not null then 'refused'
               else 'new' end as kind
        from ask a
        left join lateral (
            select * from delivery d
            where d.job_id = a.job_id and d.day between v_from and v_to
              and (d.day between a.day - 1 and a.day + 1
                   or a.old and d.day between v_today - 1 and v_today + 1)
            limit 1) d on true
        left join lateral (
            -- A record that was invalid for being ahead of its time stays so.
            select true as known from record_other o
            where a."offset" < v_next_offsets[a.slot] and o.topic = p_topic
              and o.partition = a.partition and o.incarnation = a.incarnation
              and o."offset" = a."offset" limit 1) o on true
    ),
    -- Of several jobs of a phone that would be claimed, the newest.
    ranked as (
        select s.*, s.kind in ('new', 'again') as contends,
               row_number() over (partition by s.phone, s.kind in ('new', 'again') and s.nr = 1
                                  order by s.requested_at desc, s.i desc) as place
        from seen s
    ),
    -- Each record beside its challenge and phone.
    facts as materialized (
        select r.*,
               p.busy_until > v_now
                   and (p.busy_job_id <> r.job_id or p.busy_day <> r.known_day
                        or r.known_day is null) as busy,
               coalesce(r.kind = 'new' and c.next_state = 'retry'
                   and c.next_requested_at <= r.requested_at, false) as takes,
               (c.next_state in ('claimed', 'retry', 'in_doubt')
                   and c.next_requested_at > r.requested_at and c.next_job_id <> r.job_id)
                   or (c.live_proof is not null and v_now < c.live_end + grace()
                       and c.live_requested_at > r.requested_at and c.live_job_id <> r.job_id)
                   as late,
               greatest(
                   case when c.tries >= p_max_tries[r.i]
                        then c.tries_from + p_tries_window[r.i] * interval '1 second' end,
                   case when c.day_tries >= p_max_tries_day[r.i]
                        then c.day_tries_from + interval '24 hours' end) as barred_until,
               case when p_cooldown[r.i] > 0
                    then c.charged_at + p_cooldown[r.i] * interval '1 second' end as cool_until,
               case when p_per_hour[r.i] > 0 and c.hour_jobs >= p_per_hour[r.i]
                    then c.hour_from + interval '1 hour' end as hour_until,
               case when p_per_day[r.i] > 0 and c.day_jobs >= p_per_day[r.i]
                    then c.day_from + interval '24 hours' end as day_until,
               -- Where the code comes from: one that may be on the phone already, the live one,
               -- the job's own of its last attempt, or the candidate.
               case
               when r.kind = 'repeat' then
                   case when c.next_job_id = r.job_id and c.next_nonce is not null
                        then 'same' else 'fresh' end
               when c.next_nonce is not null and c.doubt_job_id is not null
                   and v_now < c.next_start + (c.next_end - c.next_start) / 2
                   and c.next_key_id = any (p_known_keys) then 'same'
               when p_resend_same[r.i] and c.live_nonce is not null
                   and v_now < c.live_start + (c.live_end - c.live_start) / 2
                   and c.live_key_id = any (p_known_keys)
                   and c.live_length = p_code_length[r.i] then 'live'
               when r.kind = 'again' and c.next_job_id = r.job_id and c.next_nonce is not null
                   and c.doubt_job_id is null and c.next_proof is distinct from c.live_proof
                   and c.next_key_id = any (p_known_keys) then 'own'
               else 'fresh' end as source,
               c.next_job_id, c.next_day, c.next_nonce, c.next_proof, c.next_key_id, c.next_length,
               c.next_start, c.next_end, c.live_nonce, c.live_proof, c.live_key_id, c.live_length,
               c.live_start, c.live_end, c.doubt_job_id, c.doubt_day, c.sweep_at,
               c.charged_job_id, c.charged_at, c.hour_from, c.day_from, c.hour_jobs, c.day_jobs
        from ranked r
        left join lateral (select * from challenge c
                           where c.phone = r.phone and c.scene = r.scene limit 1) c on true
        left join lateral (select * from phone_limit p where p.phone = r.phone limit 1) p on true
    ),
    judged as (
        select f.*, greatest(f.cool_until, f.hour_until, f.day_until) as limited_until,
               case
               when f.kind = 'fenced' then 'fenced'
               when f.nr > 1 then 'busy'
               when f.kind in ('duplicate', 'known', 'wait', 'future') then f.kind
               when f.kind in ('expired', 'refused') then 'end'
               when f.kind in ('takeover', 'repeat') then f.kind
               when f.place > 1 then 'busy'
               when f.due <= v_now or f.late or f.barred_until > v_now then 'end'
               when f.kind = 'new' and not f.takes
                   and greatest(f.cool_until, f.hour_until, f.day_until) > v_now then 'end'
               when f.busy then 'busy'
               else 'claim' end as action
        from facts f
    ),
    dec as materialized (
        select j.i, j.action, j.kind, j.job_id, j.phone, j.scene, j.requested_at, j.deadline,
               j.due, j.partition, j.incarnation, j."offset", j.epoch, j.source, j.takes,
               j.kind = 'new' and not j.takes and j.action = 'claim' as charges,
               j.next_job_id, j.next_day, j.claimed_at, j.takeover_at, j.not_after,
               j.worker, j.known_phone, j.known_scene, j.provider_code, j.serial_no, j.traceparent,
               j.tracestate,
               j.known_day is null as is_new,
               coalesce(j.known_day, case when j.old then v_today else j.day end) as day,
               case when j.action in ('claim', 'end', 'takeover') then coalesce(j.seq, 0) + 1
                    else j.seq end as seq,
               coalesce(j.attempts, 0) + (j.action = 'claim')::int as attempts,
               case when j.action in ('claim', 'end', 'takeover') then v_now
                    else j.changed_at end as changed_at,
               case
               when j.action = 'claim' then 'claimed'
               when j.action = 'takeover' then 'in_doubt'
               when j.action <> 'end' then j.state::text
               when j.kind = 'expired' or j.due <= v_now then 'expired'
               when j.kind = 'refused' then 'limited'
               when j.late then 'superseded'
               else 'limited' end as state,
               case
               when j.action in ('claim', 'takeover') then null
               when j.action <> 'end' then j.reason
               when j.kind = 'expired' or j.due <= v_now then 'deadline'
               when j.kind = 'refused' then p_refusal[j.i]
               when j.late then 'newer_job'
               when j.barred_until > v_now then 'locked'
               when j.cool_until = j.limited_until then 'cooldown'
               when j.hour_until = j.limited_until then 'per_hour'
               else 'per_day' end as reason,
               case
               when j.action in ('claim', 'takeover') then null
               when j.action <> 'end' then j.retry_after
               when j.kind in ('expired', 'refused') or j.due <= v_now or j.late then null
               else greatest(1, ceil(extract(epoch from
                        case when j.barred_until > v_now then j.barred_until
                             else j.limited_until end - v_now)))::int end as retry_after,
               case j.source when 'live' then j.live_nonce when 'fresh' then p_nonce[j.i]
                    else j.next_nonce end as nonce,
               case j.source when 'live' then j.live_proof when 'fresh' then p_proof[j.i]
                    else j.next_proof end as proof,
               case j.source when 'live' then j.live_key_id when 'fresh' then p_key_id[j.i]
                    else j.next_key_id end as key_id,
               case j.source when 'live' then j.live_length when 'fresh' then p_code_length[j.i]
                    else j.next_length end as code_length,
               case j.source when 'live' then j.live_start when 'same' then j.next_start
                    else v_now end as code_start,
               case j.source when 'live' then j.live_end when 'same' then j.next_end
                    else v_now + p_ttl[j.i] * interval '1 second' end as code_end,
               case when j.source = 'same' then j.doubt_job_id end as doubt_job_id,
               case when j.source = 'same' then j.doubt_day end as doubt_day,
               j.sweep_at, j.charged_job_id, j.charged_at, j.hour_jobs, j.day_jobs,
               case when v_now < j.hour_from + interval '1 hour' then j.hour_from end as hour_from,
               case when v_now < j.day_from + interval '24 hours' then j.day_from end as day_from
        from judged j
    ),
    new_deliveries as (
        insert into delivery (
            job_id, day, phone, scene, state, reason, seq, attempts, retry_after, topic, partition,
            incarnation, "offset", epoch, worker, requested_at, deadline, changed_at, claimed_at,
            takeover_at, not_after, claim_id, client_ip, locale, traceparent, tracestate)
        select d.job_id, d.day, d.phone, d.scene, d.state::job_state, d.reason, d.seq, d.attempts,
               d.retry_after, p_topic, d.partition, d.incarnation, d."offset", d.epoch, p_worker,
               d.requested_at, d.deadline, v_now, t.claimed_at,
               t.claimed_at + p_takeover_ms * interval '1 millisecond',
               t.claimed_at + p_not_after_ms * interval '1 millisecond', p_claim_id,
               p_client_ip[d.i]::inet, p_locale[d.i], p_traceparent[d.i], p_tracestate[d.i]
        from dec d
        cross join lateral (select case when d.action = 'claim' then v_now end as claimed_at) t
        where d.is_new and d.action in ('claim', 'end')
    ),
    -- Upserts, here and in record, find their rows by key: for an update, a plan made while the
    -- table was small would scan it ever after. The rows are locked, so what was read still holds.
    put_codes as (
        insert into challenge as c (
            phone, scene, sweep_at, next_job_id, next_day, next_state, next_requested_at,
            next_nonce, next_proof, next_key_id, next_length, next_start, next_end, doubt_job_id,
            doubt_day, charged_job_id, charged_at, hour_from, hour_jobs, day_from, day_jobs,
            max_tries, tries_window, max_tries_day)
        select d.phone, d.scene, least(d.sweep_at, d.code_end + grace()), d.job_id, d.day,
               'claimed', d.requested_at, d.nonce, d.proof, d.key_id, d.code_length, d.code_start,
               d.code_end, d.doubt_job_id, d.doubt_day,
               case when d.charges or d.takes then d.job_id else d.charged_job_id end,
               case when d.charges then v_now else d.charged_at end,
               case when d.charges then coalesce(d.hour_from, v_now) else d.hour_from end,
               case when d.hour_from is null then 0 else d.hour_jobs end + d.charges::int,
               case when d.charges then coalesce(d.day_from, v_now) else d.day_from end,
               case when d.day_from is null then 0 else d.day_jobs end + d.charges::int,
               p_max_tries[d.i], p_tries_window[d.i], p_max_tries_day[d.i]
        from dec d
        where d.action = 'claim' or d.action = 'repeat' and d.source = 'fresh'
        on conflict (phone, scene) do update
        set next_job_id = excluded.next_job_id, next_day = excluded.next_day,
            next_state = excluded.next_state, next_requested_at = excluded.next_requested_at,
            next_nonce = excluded.next_nonce, next_proof = excluded.next_proof,
            next_key_id = excluded.next_key_id, next_length = excluded.next_length,
            next_start = excluded.next_start, next_end = excluded.next_end,
            doubt_job_id = excluded.doubt_job_id, doubt_day = excluded.doubt_day,
            charged_job_id = excluded.charged_job_id, charged_at = excluded.charged_at,
            hour_from = excluded.hour_from, hour_jobs = excluded.hour_jobs,
            day_from = excluded.day_from, day_jobs = excluded.day_jobs,
            max_tries = excluded.max_tries, tries_window = excluded.tries_window,
            max_tries_day = excluded.max_tries_day, sweep_at = excluded.sweep_at
    ),
    phones as (
        insert into phone_limit (phone, busy_job_id, busy_day, busy_until)
        select d.phone, d.job_id, d.day, v_now + record_life()
        from dec d where d.action = 'claim'
        on conflict (phone) do update
        set busy_job_id = excluded.busy_job_id, busy_day = excluded.busy_day,
            busy_until = excluded.busy_until
    ),
    duplicates as (
        insert into record_other (topic, partition, incarnation, "offset", at, what, job_id)
        select p_topic, d.partition, d.incarnation, d."offset", v_now, 'duplicate', d.job_id
        from dec d where d.action = 'duplicate'
        on conflict do nothing
    )
    select d.i, case when d.action in ('claim', 'repeat') then 'send'
                     when d.action in ('end', 'takeover') then 'decided' else d.action end,
           case when d.action = 'wait'
                then ceil(extract(epoch from d.takeover_at - v_now) * 1000)::bigint end,
           told.day, sent.deadline_in_ms, sent.life_ms, sent.code_length, sent.nonce, sent.proof,
           sent.key_id, told.job_id, told.phone, told.scene, told.state, told.reason, told.seq,
           told.provider_code, told.serial_no, told.attempts, told.retry_after, told.changed_at,
           told.traceparent, told.tracestate
    from dec d
    left join lateral (
        select floor(extract(epoch from d.due - v_now) * 1000)::bigint as deadline_in_ms,
               floor(extract(epoch from d.code_end - v_now) * 1000)::bigint as life_ms,
               d.code_length, d.nonce, d.proof, d.key_id) sent
        on d.action in ('claim', 'repeat')
    left join lateral (
        select d.day, d.job_id, coalesce(d.known_phone, d.phone) as phone,
               coalesce(d.known_scene, d.scene) as scene, d.state, d.reason, d.seq,
               d.provider_code, d.serial_no, d.attempts, d.retry_after, d.changed_at,
               case when d.is_new then p_traceparent[d.i] else d.traceparent end as traceparent,
               case when d.is_new then p_tracestate[d.i] else d.tracestate end as tracestate) told
        on d.action not in ('busy', 'wait', 'fenced', 'future')
    -- What is rare is done row by row, so that it costs the others nothing.
    where case
          when d.action = 'claim' and d.kind = 'again' then
              reclaim(d.job_id, d.day, d.epoch, p_worker, p_claim_id, p_takeover_ms,
                      p_not_after_ms, v_now)
          when d.action = 'claim' and d.takes then
              move_job(d.next_job_id, d.next_day, 'superseded', 'newer_job', null, v_now)
          when d.action = 'end' and d.kind = 'again' then
              move_job(d.job_id, d.day, d.state, d.reason, d.retry_after, v_now)
              and drop_next(d.phone, d.scene, d.job_id)
          when d.action = 'takeover' then take_over(d.job_id, d.day, v_now)
          else true end
    order by d.i;

    insert into partition_progress as g (topic, partition, incarnation, next_offset)
    select p_topic, a.partition, a.incarnation, max(a."offset") + 1
    from unnest(p_partition, p_incarnation, p_offset, p_epoch)
         a(partition, incarnation, "offset", epoch)
    where v_epochs[array_position(v_partitions, a.partition)] = a.epoch
    group by a.partition, a.incarnation
    order by a.partition, a.incarnation
    on conflict (topic, partition, incarnation)
    do update set next_offset = excluded.next_offset
    where g.next_offset < excluded.next_offset;
end
$$;

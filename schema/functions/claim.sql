-- Claims: what may be sent, decided for a batch of records in one call.

-- Of several jobs of a phone the newest is decided (the others are older), of a job that is there
-- twice one record (the others are same_job).
create or replace function sendcode.rank_batch(p_job_id text[], p_phone text[],
                                               p_requested_at timestamptz[],
                                               out first_at timestamptz, out last_at timestamptz,
                                               out same_job int[], out older int[])
language plpgsql
as $$
begin
    select min(k.at), max(k.at), array_agg(k.i) filter (where k.nr > 1),
           array_agg(k.i) filter (where k.place > 1)
    into first_at, last_at, same_job, older
    from (select a.at, a.i::int as i,
                 row_number() over (partition by a.job_id collate "C"
                                    order by a.at desc, a.i desc) as nr,
                 row_number() over (partition by a.phone collate "C"
                                    order by a.at desc, a.i desc) as place
          from unnest(p_job_id, p_phone, p_requested_at) with ordinality a(job_id, phone, at, i)) k;
end
$$;

-- When the message of a job was accepted, or else may have been.
create or replace function sendcode.message_at(p_job_id text, p_day date) returns timestamptz
language plpgsql strict
as $$
begin
    return (select coalesce(d.accepted_at, d.claimed_at) from delivery d
            where d.job_id = p_job_id and d.day = p_day);
end
$$;

-- One row of answer for each record. verdict: send | decided | known | duplicate | busy | wait |
-- fenced | future. The status columns are null with busy, wait, fenced and future, for which
-- nothing is written but how far the partition was met. Asking again with the same p_claim_id gives
-- a claimed job's answer again.
-- At most one job of a phone is claimed a call, the newest; the others are told busy. The last five
-- are the limits over all scenes, 0 being none; p_provider_interval is for how many seconds the
-- provider would refuse the same code again.
create or replace function sendcode.claim(
    p_claim_id uuid, p_worker text, p_topic text, p_takeover_ms int, p_not_after_ms int,
    p_known_keys bytea[], p_partition int[], p_offset bigint[], p_incarnation int[],
    p_epoch bigint[], p_job_id text[], p_phone text[], p_scene text[],
    p_requested_at timestamptz[], p_deadline timestamptz[], p_locale text[], p_client_ip text[],
    p_traceparent text[], p_tracestate text[], p_refusal text[], p_ttl int[], p_resend_same bool[],
    p_code_length int[], p_cooldown int[], p_per_hour int[], p_per_day int[], p_max_tries int[],
    p_tries_window int[], p_max_tries_day int[], p_nonce bytea[], p_proof bytea[],
    p_key_id bytea[], p_phone_per_day int, p_address_per_hour int, p_address_per_day int,
    p_provider_per_day int, p_provider_interval int)
returns table (
    idx int, verdict text, wait_ms bigint, day date, deadline_in_ms bigint, life_ms bigint,
    code_length int, nonce bytea, proof bytea, key_id bytea, job_id text, phone text, scene text,
    state text, reason text, seq int, provider_code text, serial_no text, attempt int,
    retry_after int, at timestamptz, traceparent text, tracestate text)
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
    v_takeover interval := p_takeover_ms * interval '1 millisecond';
    v_not_after interval := p_not_after_ms * interval '1 millisecond';
    v_now timestamptz;
    v_today date;
    v_first timestamptz;
    v_last timestamptz;
    v_from date;
    v_to date;
    v_same_job int[];
    v_older int[];
    v_by_phone bool := p_phone_per_day > 0 or p_provider_per_day > 0;
    v_by_address bool := p_address_per_hour > 0 or p_address_per_day > 0;
    v_addresses cidr[];
begin
    select * into v_partitions, v_epochs, v_next_offsets from lock_epochs(p_topic, p_partition);
    select * into v_first, v_last, v_same_job, v_older
    from rank_batch(p_job_id, p_phone, p_requested_at);
    perform lock_phones(p_phone);
    if v_by_address then
        v_addresses := lock_addresses(p_client_ip);
    end if;
    -- One job_id at a time: the key (job_id, day) does not stop a second record of another day.
    perform pg_advisory_xact_lock(k.key)
    from (select distinct hashtextextended(a.job_id, 0) as key from unnest(p_job_id) a(job_id)
          order by 1) k;
    v_now := clock_timestamp();
    v_today := (v_now at time zone 'UTC')::date;
    -- The days that the probe below may meet: prunes partitions once a call.
    v_from := least(v_today, (v_first at time zone 'UTC')::date) - 1;
    v_to := greatest(v_today, (v_last at time zone 'UTC')::date) + 1;

    return query
    -- Each level below is computed once a row, row after row ("offset 0" keeps the planner from
    -- merging them).
    with asked as not materialized (
        select u.job_id, u.i::int as i, p_phone[u.i::int] as phone, p_scene[u.i::int] as scene,
               p_requested_at[u.i::int] as requested_at, v_addresses[u.i::int] as address,
               (p_requested_at[u.i::int] at time zone 'UTC')::date as day,
               p_requested_at[u.i::int] < v_now - interval '24 hours' as old,
               array_position(v_partitions, p_partition[u.i::int]) as slot
        from unnest(p_job_id) with ordinality u(job_id, i)
        offset 0
    ),
    -- What is known of the job, its challenge, its phone and its address.
    seen as not materialized (
        select a.i, a.day, a.old, a.address, d.day as known_day, d.phone as known_phone,
               d.scene as known_scene, d.state, d.reason, d.seq, d.attempts, d.provider_code,
               d.serial_no, d.retry_after, d.changed_at, d.traceparent, d.tracestate, d.takeover_at,
               coalesce(d.deadline, p_deadline[a.i]) as due,
               case
               when v_epochs[a.slot] is distinct from p_epoch[a.i] then 'fenced'
               when d.job_id is null then case
                   when a.requested_at > v_now + interval '5 minutes' or o.known then 'future'
                   when a.old or p_deadline[a.i] <= v_now then 'expired'
                   when p_refusal[a.i] is not null then 'refused'
                   else 'new' end
               when d."offset" <> p_offset[a.i] or d.partition <> p_partition[a.i]
                   or d.incarnation <> p_incarnation[a.i] or d.topic <> p_topic then 'duplicate'
               when d.state = 'retry' then 'again'
               when d.state <> 'claimed' then 'known'
               when d.claim_id = p_claim_id and d.epoch = p_epoch[a.i] then 'repeat'
               -- Its last attempt is known not to have been sent: a fenced decision, whose evidence
               -- was kept.
               when was_unsent(a.job_id, d.day, d.attempts) then 'again'
               when v_now < d.takeover_at then 'wait'
               else 'takeover' end as kind,
               b.busy, c.next_job_id = a.job_id as mine,
               coalesce(d.job_id is null and c.next_state = 'retry'
                   and c.next_requested_at <= a.requested_at, false) as takes,
               c.next_state in ('claimed', 'retry', 'in_doubt')
                   and c.next_requested_at > a.requested_at and c.next_job_id <> a.job_id
                   or c.live_proof is not null and v_now < c.live_end + grace()
                   and c.live_requested_at > a.requested_at and c.live_job_id <> a.job_id as late,
               greatest(
                   case when c.tries >= p_max_tries[a.i]
                       then c.tries_from + p_tries_window[a.i] * interval '1 second' end,
                   case when c.day_tries >= p_max_tries_day[a.i]
                       then c.day_tries_from + interval '24 hours' end) as barred_until,
               case when p_cooldown[a.i] > 0
                   then c.charged_at + p_cooldown[a.i] * interval '1 second' end as cool_until,
               case when p_per_hour[a.i] > 0 and c.hour_jobs >= p_per_hour[a.i]
                   then c.hour_from + interval '1 hour' end as hour_until,
               case when p_per_day[a.i] > 0 and c.day_jobs >= p_per_day[a.i]
                   then c.day_from + interval '24 hours' end as day_until,
               case when p_phone_per_day > 0 and l.day_jobs >= p_phone_per_day
                   then l.day_from + interval '24 hours' end as phone_until,
               case when p_provider_per_day > 0 and l.provider_day = provider_day(v_now)
                   and cardinality(l.provider_jobs) >= p_provider_per_day
                   then provider_day_end(v_now) end as provider_until,
               c.next_job_id, c.next_day, c.next_nonce, c.next_proof, c.next_key_id, c.next_length,
               c.next_start, c.next_end, c.live_nonce, c.live_proof, c.live_key_id, c.live_length,
               c.live_start, c.live_end, c.live_job_id, c.live_day, c.doubt_job_id, c.doubt_day,
               c.sweep_at, c.charged_job_id, c.charged_at, c.hour_from, c.day_from, c.hour_jobs,
               c.day_jobs
        from asked a
        -- Lateral with a limit: found by key, whatever the planner believes.
        left join lateral (
            select * from delivery d
            where d.job_id = a.job_id and d.day between v_from and v_to
              -- "is true": no partition is looked for once a row.
              and (d.day between a.day - 1 and a.day + 1
                   or a.old and d.day between v_today - 1 and v_today + 1) is true
            limit 1) d on true
        left join lateral (
            -- A record that was invalid for being ahead of its time stays so.
            select true as known from record_other o
            where p_offset[a.i] < v_next_offsets[a.slot] and o.what = 'invalid'
              and o.topic = p_topic and o.partition = p_partition[a.i]
              and o.incarnation = p_incarnation[a.i] and o."offset" = p_offset[a.i] limit 1) o
            on true
        left join lateral (select * from challenge c where c.phone = a.phone
                             and c.scene = a.scene limit 1 for update) c on true
        left join lateral (
            select true as busy from challenge b
            where b.phone = a.phone and b.busy_until > v_now and b.next_job_id <> a.job_id
            limit 1) b on true
        left join lateral (
            select * from phone_limit l where v_by_phone and l.phone = a.phone limit 1) l on true
        offset 0
    ),
    judged as not materialized (
        select e.*, f.*, g.*, x.*, h.*, h.action in ('claim', 'end', 'takeover') as moves
        from seen e
        -- Where a code comes from: one that may be on the phone already, the live one, the job's
        -- own of its last attempt, or the candidate.
        cross join lateral (
            select e.kind = 'new' and not e.takes as charges,
                   case
                   when e.kind = 'repeat' then
                       case when e.mine and e.next_nonce is not null then 'same' else 'fresh' end
                   when e.next_nonce is not null and e.doubt_job_id is not null
                       and v_now < e.next_start + (e.next_end - e.next_start) / 2
                       and e.next_key_id = any (p_known_keys) then 'same'
                   when e.live_nonce is not null and p_resend_same[e.i]
                       and v_now < e.live_start + (e.live_end - e.live_start) / 2
                       and e.live_key_id = any (p_known_keys)
                       and e.live_length = p_code_length[e.i] then 'live'
                   when e.kind = 'again' and e.mine and e.next_nonce is not null
                       and e.doubt_job_id is null and e.next_proof is distinct from e.live_proof
                       and e.next_key_id = any (p_known_keys) then 'own'
                   else 'fresh' end as source
            offset 0) f
        -- What is done with the record, if its phone is free and no limit ends it.
        cross join lateral (
            select case
                   when e.kind = 'fenced' then 'fenced'
                   when e.i = any (v_same_job) then 'busy'
                   when e.kind in ('expired', 'refused') then 'end'
                   when e.kind not in ('new', 'again') then e.kind
                   when e.i = any (v_older) then 'busy'
                   when e.due <= v_now or e.late or e.barred_until > v_now then 'end'
                   else 'claim' end as step,
                   greatest(e.cool_until, e.hour_until, e.day_until, e.phone_until,
                            e.provider_until,
                            case when p_provider_interval > 0 and f.charges then
                                case f.source
                                    when 'live' then message_at(e.live_job_id, e.live_day)
                                    when 'same' then message_at(e.doubt_job_id, e.doubt_day) end
                                + p_provider_interval * interval '1 second' end) as own_until
            offset 0) g
        -- Its address is asked last: it charges what passes.
        cross join lateral (
            select case when e.address is not null and g.step = 'claim' and f.charges then
                       address_until(e.address,
                                     e.busy is null and (g.own_until > v_now) is not true,
                                     p_address_per_hour, p_address_per_day, v_now) end
                       as address_until
            offset 0) x
        cross join lateral (
            select greatest(g.own_until, x.address_until) as limited_until,
                   case when g.step <> 'claim' then g.step
                        when f.charges and greatest(g.own_until, x.address_until) > v_now then 'end'
                        when e.busy then 'busy'
                        else 'claim' end as action
            offset 0) h
        offset 0
    ),
    dec as materialized (
        select j.i, j.action, j.kind, j.source, j.known_day is null as is_new,
               coalesce(j.known_day, case when j.old then v_today else j.day end) as day, j.due,
               j.known_phone, j.known_scene, j.provider_code, j.serial_no, j.traceparent,
               j.tracestate, j.takeover_at, j.charges, j.takes, j.next_job_id, j.next_day,
               coalesce(j.seq, 0) + j.moves::int as seq,
               coalesce(j.attempts, 0) + (j.action = 'claim')::int as attempts,
               case when j.moves then v_now else j.changed_at end as changed_at,
               case
               when j.action = 'claim' then 'claimed'
               when j.action = 'takeover' then 'in_doubt'
               when not j.moves then j.state::text
               when j.kind = 'expired' or j.due <= v_now then 'expired'
               when j.kind <> 'refused' and j.late then 'superseded'
               else 'limited' end as state,
               case
               when j.action in ('claim', 'takeover') then null
               when not j.moves then j.reason
               when j.kind = 'expired' or j.due <= v_now then 'deadline'
               when j.kind = 'refused' then p_refusal[j.i]
               when j.late then 'newer_job'
               when j.barred_until > v_now then 'locked'
               when j.cool_until = j.limited_until then 'cooldown'
               when j.hour_until = j.limited_until then 'per_hour'
               when j.day_until = j.limited_until then 'per_day'
               when j.phone_until = j.limited_until then 'phone'
               when j.address_until = j.limited_until then 'address'
               else 'provider_limit' end as reason,
               case
               when j.action in ('claim', 'takeover') then null
               when not j.moves then j.retry_after
               when j.kind in ('expired', 'refused') or j.due <= v_now or j.late then null
               else greatest(1, ceil(extract(epoch from
                        greatest(j.barred_until, case when j.charges then j.limited_until end)
                        - v_now)))::int end as retry_after,
               case j.source when 'fresh' then p_nonce[j.i] when 'live' then j.live_nonce
                    else j.next_nonce end as nonce,
               case j.source when 'fresh' then p_proof[j.i] when 'live' then j.live_proof
                    else j.next_proof end as proof,
               case j.source when 'fresh' then p_key_id[j.i] when 'live' then j.live_key_id
                    else j.next_key_id end as key_id,
               case j.source when 'fresh' then p_code_length[j.i] when 'live' then j.live_length
                    else j.next_length end as code_length,
               case j.source when 'live' then j.live_start when 'same' then j.next_start
                    else v_now end as code_start,
               case j.source when 'live' then j.live_end when 'same' then j.next_end
                    else v_now + p_ttl[j.i] * interval '1 second' end as code_end,
               j.doubt_job_id, j.doubt_day, j.sweep_at, j.charged_job_id, j.charged_at,
               case when v_now < j.hour_from + interval '1 hour' then j.hour_from end as hour_from,
               case when v_now < j.day_from + interval '24 hours' then j.day_from end as day_from,
               j.hour_jobs, j.day_jobs
        from judged j
    ),
    new_deliveries as (
        insert into delivery (
            job_id, day, phone, scene, state, reason, seq, attempts, retry_after, topic, partition,
            incarnation, "offset", epoch, worker, requested_at, deadline, changed_at, claimed_at,
            takeover_at, not_after, claim_id, client_ip, locale, traceparent, tracestate)
        select p_job_id[d.i], d.day, p_phone[d.i], p_scene[d.i], d.state::job_state, d.reason,
               d.seq, d.attempts, d.retry_after, p_topic, p_partition[d.i], p_incarnation[d.i],
               p_offset[d.i], p_epoch[d.i], p_worker, p_requested_at[d.i], p_deadline[d.i], v_now,
               case when d.action = 'claim' then v_now end,
               case when d.action = 'claim' then v_now + v_takeover end,
               case when d.action = 'claim' then v_now + v_not_after end,
               p_claim_id, p_client_ip[d.i]::inet, p_locale[d.i], p_traceparent[d.i],
               p_tracestate[d.i]
        from dec d
        where d.is_new and d.action in ('claim', 'end')
    ),
    -- Upserts, here and in record, find their rows by key: for an update, a plan made while the
    -- table was small would scan it ever after. The rows are locked, so what was read still holds.
    put_codes as (
        insert into challenge as c (
            phone, scene, sweep_at, busy_until, next_job_id, next_day, next_state,
            next_requested_at, next_nonce, next_proof, next_key_id, next_length, next_start,
            next_end, doubt_job_id, doubt_day, charged_job_id, charged_at, hour_from, hour_jobs,
            day_from, day_jobs, max_tries, tries_window, max_tries_day)
        select p_phone[d.i], p_scene[d.i], least(d.sweep_at, d.code_end + grace()),
               v_now + record_life(), p_job_id[d.i], d.day, 'claimed', p_requested_at[d.i],
               d.nonce, d.proof, d.key_id, d.code_length, d.code_start, d.code_end,
               case when d.source = 'same' then d.doubt_job_id end,
               case when d.source = 'same' then d.doubt_day end,
               case when d.charges or d.takes then p_job_id[d.i] else d.charged_job_id end,
               case when d.charges then v_now else d.charged_at end,
               case when d.charges then coalesce(d.hour_from, v_now) else d.hour_from end,
               case when d.hour_from is null then 0 else d.hour_jobs end + d.charges::int,
               case when d.charges then coalesce(d.day_from, v_now) else d.day_from end,
               case when d.day_from is null then 0 else d.day_jobs end + d.charges::int,
               p_max_tries[d.i], p_tries_window[d.i], p_max_tries_day[d.i]
        from dec d
        where d.action = 'claim' or d.action = 'repeat' and d.source = 'fresh'
        on conflict (phone, scene) do update
        set sweep_at = excluded.sweep_at, busy_until = excluded.busy_until,
            next_job_id = excluded.next_job_id, next_day = excluded.next_day,
            next_state = excluded.next_state, next_requested_at = excluded.next_requested_at,
            next_nonce = excluded.next_nonce, next_proof = excluded.next_proof,
            next_key_id = excluded.next_key_id, next_length = excluded.next_length,
            next_start = excluded.next_start, next_end = excluded.next_end,
            doubt_job_id = excluded.doubt_job_id, doubt_day = excluded.doubt_day,
            charged_job_id = excluded.charged_job_id, charged_at = excluded.charged_at,
            hour_from = excluded.hour_from, hour_jobs = excluded.hour_jobs,
            day_from = excluded.day_from, day_jobs = excluded.day_jobs,
            max_tries = excluded.max_tries, tries_window = excluded.tries_window,
            max_tries_day = excluded.max_tries_day
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
        select d.day, p_job_id[d.i] as job_id, coalesce(d.known_phone, p_phone[d.i]) as phone,
               coalesce(d.known_scene, p_scene[d.i]) as scene, d.state, d.reason, d.seq,
               d.provider_code, d.serial_no, d.attempts, d.retry_after, d.changed_at,
               case when d.is_new then p_traceparent[d.i] else d.traceparent end as traceparent,
               case when d.is_new then p_tracestate[d.i] else d.tracestate end as tracestate) told
        on d.action not in ('busy', 'wait', 'fenced', 'future')
    -- What is rare is done row by row, so that it costs the others nothing; charging once.
    where case
          when d.action = 'claim' and d.is_new and not d.takes then true
          when d.action = 'claim' and d.takes then
              move_job(d.next_job_id, d.next_day, 'superseded', 'newer_job', null, v_now)
          when d.action = 'claim' then
              reclaim(p_job_id[d.i], d.day, p_epoch[d.i], p_worker, p_claim_id, v_now,
                      v_now + v_takeover, v_now + v_not_after)
          when d.action = 'end' and d.kind = 'again' then
              move_job(p_job_id[d.i], d.day, d.state, d.reason, d.retry_after, v_now)
              and drop_next(p_phone[d.i], p_scene[d.i], p_job_id[d.i])
          when d.action = 'takeover' then take_over(p_job_id[d.i], d.day, v_now)
          when d.action = 'duplicate' then
              note_duplicate(p_topic, p_partition[d.i], p_incarnation[d.i], p_offset[d.i],
                             p_job_id[d.i], v_now)
          else true end
      and case when v_by_phone then (
              select charge_phones(array_agg(p_phone[d.i]), array_agg(p_job_id[d.i]),
                                   array_agg(case when d.takes then d.next_job_id end),
                                   array_agg(d.charges), p_provider_per_day > 0, v_now)
              from dec d where d.action = 'claim') else true end;

    perform note_met(p_topic, p_partition, p_incarnation, p_offset, p_epoch, v_partitions,
                     v_epochs);
end
$$;

-- What happened to a job, or to all jobs of a phone, in order.

-- The jobs of a phone, found by the index: what the views show of it is masked for auditors, so
-- they cannot look for it there.
create or replace function sendcode.phone_jobs(p_phone text) returns table (job_id text, day date)
language sql stable security definer
set search_path = sendcode, pg_temp
set enable_seqscan = off
as $$ select d.job_id, d.day from delivery d where d.phone = p_phone $$;

comment on function sendcode.phone_jobs(text) is
    'The jobs of a phone (+…, whole), for a join: select d.* from sendcode.phone_jobs(…) join
sendcode.deliveries d using (job_id, day).';

-- job_or_phone: a phone begins with +, a job_id never does. No phone stands in the answer. The
-- months to look into are known once the jobs are: custom plans then meet no others.
create or replace function sendcode.timeline(job_or_phone text)
returns table (at timestamptz, job_id text, what text, detail text)
language plpgsql stable security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_custom_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_jobs delivery[];
    v_from date;
    v_to date;
    v_received_from timestamptz;
    v_received_to timestamptz;
begin
    if left(job_or_phone, 1) = '+' then
        v_jobs := array(select d from delivery d where d.phone = job_or_phone);
    else
        v_jobs := array(select d from delivery d where d.job_id = job_or_phone);
    end if;
    select min(j.day), max(j.day) into v_from, v_to from unnest(v_jobs) j;
    -- A receipt is joined to no job of later than a day after it, or of more than 9 before.
    v_received_from := (v_from - 2)::timestamp at time zone 'UTC';
    v_received_to := (v_to + 12)::timestamp at time zone 'UTC';
    return query
    with job as materialized (
        select * from unnest(v_jobs)
    ),
    tried as materialized (
        select a.* from job j
        cross join lateral (select * from attempt a
                            where a.job_id = j.job_id and a.day = j.day
                              and a.day between v_from and v_to offset 0) a
    ),
    happened (at, rank, job_id, what, detail) as (
        select j.requested_at, 1, j.job_id, 'requested',
               concat_ws(', ', 'scene ' || j.scene, 'locale ' || j.locale,
                         'from ' || host(j.client_ip),
                         format('record %s/%s/%s', j.topic, j.partition, j."offset"),
                         format('deadline in %s s',
                                round(extract(epoch from j.deadline - j.requested_at))))
        from job j
        union all
        select j.claimed_at, 2, j.job_id, 'claimed',
               format('for attempt %s, by %s', j.attempts, j.worker)
        from job j where j.claimed_at is not null
        union all
        select t.at, 3, t.job_id, 'attempt',
               concat_ws(', ', format('%s: %s', t.attempt, t.outcome),
                         case when t.settlement is not null and t.outcome <> 'in_doubt'
                              then 'in doubt until it was settled' end,
                         t.provider_code, 'HTTP ' || t.http_status, 'SerialNo ' || t.serial_no,
                         'RequestId ' || t.request_id, t.duration_ms || ' ms',
                         nullif(t.fee, 0) || ' segments', 'by ' || t.worker)
        from tried t
        union all
        select (s ->> 'asked_at')::timestamptz, 4, t.job_id, 'settlement',
               concat_ws(', ', format('%s: %s', t.attempt, s ->> 'how'),
                         (s ->> 'action') || ' by ' || (s ->> 'by'),
                         jsonb_array_length(s -> 'records') || ' records',
                         'first so at ' || (s ->> 'since'), s ->> 'why')
        from tried t
        cross join lateral jsonb_array_elements(t.settlement) s
        union all
        -- The state that a receipt moved on: when the provider had accepted it.
        select j.accepted_at, 5, j.job_id, 'sent',
               concat_ws(', ', 'attempt ' || j.accepted_attempt, 'SerialNo ' || j.serial_no)
        from job j
        where j.accepted_at is not null and j.state in ('delivered', 'undelivered')
        union all
        select coalesce(max(t.recorded_at) filter (where t.outcome = 'accepted'), j.changed_at), 6,
               j.job_id, 'duplicate_send', 'more than one message was accepted for this job'
        from job j
        left join tried t on t.job_id = j.job_id and t.day = j.day
        where j.duplicate_send
        group by j.job_id, j.day, j.changed_at
        union all
        select r.received_at, 7, j.job_id, 'receipt',
               concat_ws(', ', r.status, r.code || coalesce(': ' || c.meaning, ''),
                         case r.match when 'repeat' then 'changes nothing: not the first' end,
                         'the carrier says at ' || to_char(
                             r.user_received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                         'SerialNo ' || r.serial_no, 'by ' || r.source)
        from job j
        cross join lateral (select * from receipt r
                            where r.job_id = j.job_id and r.received_at >= v_received_from
                              and r.received_at < v_received_to offset 0) r
        left join receipt_code c on c.code = r.code
        union all
        select j.changed_at, 8, j.job_id, j.state::text,
               concat_ws(', ', j.reason, j.receipt_code || coalesce(': ' || c.meaning, ''),
                         j.provider_code, 'try again in ' || j.retry_after || ' s',
                         'change ' || j.seq)
        from job j
        left join receipt_code c on c.code = j.receipt_code
        where j.state <> 'claimed'
        union all
        select j.verified_at, 9, j.job_id, 'verified', null from job j
        where j.verified_at is not null
        union all
        select o.at, 10, j.job_id, 'duplicate_record',
               format('record %s/%s/%s', o.topic, o.partition, o."offset")
        from job j
        cross join lateral (select * from record_other o
                            where o.job_id = j.job_id and o.what = 'duplicate' offset 0) o
        union all
        select w.at, 11, null, 'wrong_try',
               concat_ws(', ', 'scene ' || w.scene, 'from ' || host(w.client_ip))
        from wrong_try w where w.phone = job_or_phone
    )
    select h.at, h.job_id, h.what, h.detail from happened h order by h.at, h.rank, h.job_id;
end
$$;

comment on function sendcode.timeline(text) is
    'What happened to a job, or to all jobs of a phone (+…), in order. A job in doubt, limited or
superseded says so with its reason; an attempt stands where its request began and names what the
provider answered; a receipt where it came to us, with the carrier''s code explained.';

-- What settling learned, for auditors and investigators.

create or replace view sendcode.attempts as
select a.job_id, a.attempt, a.at, a.duration_ms, a.outcome::text as outcome, a.http_status,
       a.provider_code, a.request_id, a.serial_no, a.fee, a.worker, a.day, a.settlement
from sendcode.attempt a;

comment on view sendcode.attempts is
    'A row per request to the provider (also one of which nothing was heard again). outcome, as
known now: accepted (billed, fee messages), refused, not_sent (certainly), in_doubt. settlement:
what the provider was asked about it, and what it said.';

-- job_or_phone: a phone begins with +, a job_id never does. No phone stands in the answer.
create or replace function sendcode.timeline(job_or_phone text)
returns table (at timestamptz, job_id text, what text, detail text)
language plpgsql stable security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with job as materialized (
        select * from delivery d where left(job_or_phone, 1) = '+' and d.phone = job_or_phone
        union all
        select * from delivery d where left(job_or_phone, 1) <> '+' and d.job_id = job_or_phone
    ),
    tried as materialized (
        select a.* from job j
        cross join lateral (select * from attempt a
                            where a.job_id = j.job_id and a.day = j.day offset 0) a
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
               concat_ws(', ', format('%s: %s', t.attempt, t.outcome), t.provider_code,
                         'HTTP ' || t.http_status, 'SerialNo ' || t.serial_no,
                         'RequestId ' || t.request_id, t.duration_ms || ' ms',
                         t.fee || ' segments', 'by ' || t.worker)
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
        select coalesce(max(t.recorded_at) filter (where t.outcome = 'accepted'), j.changed_at), 5,
               j.job_id, 'duplicate_send', 'more than one message was accepted for this job'
        from job j
        left join tried t on t.job_id = j.job_id and t.day = j.day
        where j.duplicate_send
        group by j.job_id, j.day, j.changed_at
        union all
        select j.changed_at, 6, j.job_id, j.state::text,
               concat_ws(', ', j.reason, j.provider_code,
                         'try again in ' || j.retry_after || ' s', 'change ' || j.seq)
        from job j where j.state <> 'claimed'
        union all
        select r.received_at, 7, j.job_id, 'receipt',
               concat_ws(', ', r.status, r.code, r.match, 'from ' || r.source)
        from job j
        cross join lateral (select * from receipt r where r.job_id = j.job_id offset 0) r
        union all
        select j.verified_at, 8, j.job_id, 'verified', null from job j
        where j.verified_at is not null
        union all
        select o.at, 9, j.job_id, 'duplicate_record',
               format('record %s/%s/%s', o.topic, o.partition, o."offset")
        from job j
        cross join lateral (select * from record_other o
                            where o.job_id = j.job_id and o.what = 'duplicate' offset 0) o
        union all
        select w.at, 10, null, 'wrong_try',
               concat_ws(', ', 'scene ' || w.scene, 'from ' || host(w.client_ip))
        from wrong_try w where w.phone = job_or_phone
    )
    select h.at, h.job_id, h.what, h.detail from happened h order by h.at, h.rank, h.job_id;
end
$$;

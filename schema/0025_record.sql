-- The record for auditors: what the carriers' codes mean, the views, and where a day's rows lie.

-- Codes of the carriers' receipts, as Tencent's documents class them.
create table sendcode.receipt_code (
    code     text collate "C" primary key,
    kind     text not null,
    carriers text not null,
    meaning  text not null
);

insert into sendcode.receipt_code (code, kind, carriers, meaning)
select c.code, g.kind, g.carriers, m.meaning
from (values
        ('BLACKLIST', 'any',
         'MX:0012|BWLIST_006|TD:0001|TD:19'),
        ('BLACKLIST', 'mobile',
         'MB:1077|DB:0141|DB:0164|DB:0144|DB00144|BWLIST|HD:19|TUIDING|HIGRISK|TC:0001'),
        ('BLACKLIST', 'telecom, unicom',
         'MOBILE BLACK'),
        ('BLACKLIST', 'unicom',
         'W-BLACK|69'),
        ('CARRIER_INTERNAL', 'any',
         'TE:0002'),
        ('CARRIER_INTERNAL', 'mobile',
         'MI:0022|IA:0054|MN:0075|IC:0015|BEYONDN|MC00151|IC:0055|MB:1078|MN00001|ID:0013'
         '|MI:0081|DA:0054|MN:0052|IA:0073|IA:0051|MN:0020|MI:0008|MI:0045|MN:0055|NOROUTE'
         '|MI:0036|MK:0020|MK:0022|MN:0053|DB:0505|ID:0070|MX:0002|MA:0051|IB:0008|MI:0041'
         '|MI:0064|MI:0057|MI:0056|MI:0098|MN:0019|MI:0030|MI:0023|MI:0002|MB:1026|MK:0055'
         '|MK:0066|IB:0009|MK:0006|MK:0053|MK:0023|MK:0045|MA:0054|MK:0041|MK:0063|ID:0012'
         '|MK:0084|MB:0088|MI00036|MA:0073|MI:0099|MI:0089|MI:0063|MI:0090|DB:0107|IB:0255'
         '|MA:0022|IB:0013|MA:0001|MK:0065|MN:0009|DB:0010|MK:0021|MI:0038|MK:0051|MK:0068'
         '|DB:0106|MI:0048|MK:0056|MK:0057|MK:0088|CA:0054'),
        ('CARRIER_INTERNAL', 'telecom',
         'UNDELIV_870|EXPIRED_612|EXPIRED_614|EXPIRED_618|EXPIRED_613|EXPIRED_617'),
        ('CARRIER_INTERNAL', 'unicom',
         '11|59|23|17|22|90|-74|2|104|8|57|3|14|9|29|106|-1|148|48|63|73|32|40|110|116|21'),
        ('CONTENT_BLOCKED', 'any',
         '-106|TE:0014|TD:0004'),
        ('CONTENT_BLOCKED', 'mobile',
         'TC:0007'),
        ('CONTENT_BLOCKED', 'unicom',
         'LT:0002'),
        ('DELIVERED', 'any',
         'DELIVRD'),
        ('FREQUENCY_LIMIT', 'any',
         'MX:0003|TE:0003'),
        ('FREQUENCY_LIMIT', 'mobile',
         'MB:1042'),
        ('INVALID_NUMBER', 'any',
         'TD:18'),
        ('INVALID_NUMBER', 'mobile',
         'MK:0012|MK:0000|MK:0001|MK00001|MK:0013|MI:0010|ERR_NUM|ERR_NUM_006|XL:169|TA:169'
         '|MK:0003'),
        ('INVALID_NUMBER', 'unicom',
         '1|24|67|61|95|101|72'),
        ('INVALID_OR_OFF', 'any',
         'UNDELIVRD|002'),
        ('INVALID_OR_OFF', 'mobile',
         'MN:0001|MN:0054|MI:0011|MC:0151|MI:0005|MI:0000|MI:0004|MI:0020|MI:0084|MI:0017'
         '|MN:0029|IC:0151|MI:0055|MI:0054|MK:0075|MN:0022|MN:0012|MI:0059|MN:0050'),
        ('INVALID_OR_OFF', 'mobile, telecom, unicom',
         'UNDELIV'),
        ('INVALID_OR_OFF', 'telecom',
         'UNDELIV_701|UNDELIV_802|UNDELIV_801'),
        ('INVALID_OR_OFF', 'unicom',
         '12|10'),
        ('PHONE_OFF', 'mobile',
         'EXPIRED|MI:0013|MI:0024|IC:0001|MI:0029|MK:0004|MK:0011|MK:0024|IB:0064|MC:0055'
         '|MC:0055_006|MC:0055_000|MN:0059|MK:0029|MK:0010|MK:0008|MK:0009|MK:0015|MK:0017'
         '|MI00022|MB:1031|MN0013|MN:0041|MK:0090|MI:0012|MI00000|MI:0052|MI0020'),
        ('PHONE_OFF', 'telecom',
         'UNDELIV_601|EXPIRED_602|UNDELIV_640|UNDELIV_705|EXPIRED_760|EXPIRED_601'
         '|UNDELIV_869|UNDELIV_602|UNDELIV_614|EXPIRED_660|EXPIRED_702|EXPIRED_640'
         '|UNDELIV_702|UNDELIV_815|UNDELIV_771|UNDELIV_711|UNDELIV_627|UNDELIV_814'
         '|UNDELIV_660|UNDELIV_613|UNDELIV_619|UNDELIV_680|UNDELIV_636|UNDELIV_726'
         '|UNDELIV_718|UNDELIV_880|UNDELIV_634|EXPIRED_010|EXPIRED_619|EXPIRED_999'
         '|UNDELIV_001|UNDELIV_620'),
        ('PHONE_OFF', 'unicom',
         '5|93|4|54|15|51|-37|20|55|86|50|79|53|45|89|64|88|98|36|99|43|-43|56|70|219|182'
         '|124|105|213|31'),
        ('REJECTED', 'any',
         'REJECTD'),
        ('REJECTED', 'mobile',
         'MN:0017'),
        ('REJECTED', 'telecom',
         'REJECTD_006|REJECTD_706|EXPIRED_615'),
        ('SERVICE_NOT_ENABLED', 'mobile',
         'MK:0005|MK:0019'),
        ('SERVICE_NOT_ENABLED', 'unicom',
         '13|27|18|44|118|52|75|19'),
        ('UNKNOWN', 'mobile',
         'MC:0001|MK:0036|UNKNOWN'),
        ('UNKNOWN', 'telecom',
         'UNDELIV_999|UNDELIV_713|UNDELIV_615|UNDELIV_765|UNDELIV_899|EXPIRED_001'
         '|UNDELIV_612|UNDELIV_714'),
        ('UNKNOWN', 'unicom',
         '92|255|100|117|164|46|103')
    ) g(kind, carriers, codes)
join (values
        ('DELIVERED', 'the phone has it'),
        ('INVALID_NUMBER', 'no such number'),
        ('INVALID_OR_OFF', 'no such number, or the phone is off or out of reach'),
        ('PHONE_OFF', 'the phone is off, out of reach or full'),
        ('BLACKLIST', 'the number is on a block list of the carrier''s'),
        ('CONTENT_BLOCKED', 'the carrier let the content not pass'),
        ('FREQUENCY_LIMIT', 'the carrier says: too many messages to this number'),
        ('SERVICE_NOT_ENABLED', 'the number takes no SMS: not subscribed, or suspended'),
        ('REJECTED', 'the carrier or the phone refused it'),
        ('CARRIER_INTERNAL', 'a fault within the carrier''s network'),
        ('UNKNOWN', 'the carrier gave no reason that is known')
    ) m(kind, meaning) using (kind)
cross join lateral string_to_table(g.codes, '|') c(code);

-- Rows lie in the order of their days: a few pages tell where a day is. Unlike a tree, that costs
-- the claims nothing, and a day never changes, so that updates stay heap-only.
create index delivery_day on sendcode.delivery using brin (day)
    with (pages_per_range = 32, autosummarize = on);
create index attempt_day on sendcode.attempt using brin (day)
    with (pages_per_range = 32, autosummarize = on);
create index wrong_try_at on sendcode.wrong_try using brin (at) with (autosummarize = on);

create or replace view sendcode.deliveries as
select d.job_id,
       case when (select sendcode.sees_phones()) then d.phone
            else sendcode.mask_phone(d.phone) end as phone,
       d.scene, d.state::text as state, d.reason, d.seq, d.attempts, d.provider_code, d.serial_no,
       d.requested_at, d.deadline, d.claimed_at, d.accepted_at, d.changed_at, d.receipt_at,
       d.receipt_code, d.retry_after, d.client_ip, d.locale, d.topic, d.partition, d."offset",
       d.worker, d.verified_at, d.duplicate_send, d.incarnation, d.day,
       c.kind as receipt_kind, c.meaning as receipt_meaning
from sendcode.delivery d
left join sendcode.receipt_code c on c.code = d.receipt_code;

create view sendcode.receipts as
select r.serial_no,
       case when (select sendcode.sees_phones()) then r.phone
            else sendcode.mask_phone(r.phone) end as phone,
       r.status, r.code, r.user_received_at, r.received_at, r.source, r.match, r.job_id,
       r.description, r.fault, r.id, c.kind, c.meaning
from sendcode.receipt r
left join sendcode.receipt_code c on c.code = r.code;

grant select on sendcode.receipts to sendcode_auditor, sendcode_investigator;

create or replace view sendcode.latency as
select date_trunc('hour', d.accepted_at) as hour, d.scene, count(*) as jobs,
       percentile_cont(0.5) within group (order by s.whole) as p50_s,
       percentile_cont(0.95) within group (order by s.whole) as p95_s,
       percentile_cont(0.99) within group (order by s.whole) as p99_s,
       percentile_cont(0.5) within group (order by s.sending) as sending_p50_s,
       percentile_cont(0.99) within group (order by s.sending) as sending_p99_s,
       count(s.carrying) as delivered,
       percentile_cont(0.5) within group (order by s.carrying) as carrying_p50_s,
       percentile_cont(0.99) within group (order by s.carrying) as carrying_p99_s
from sendcode.delivery d
cross join lateral (
    select extract(epoch from d.accepted_at - d.requested_at)::float8 as whole,
           extract(epoch from d.accepted_at - d.claimed_at)::float8 as sending,
           case when d.state = 'delivered'
                then extract(epoch from d.receipt_at - d.accepted_at)::float8 end as carrying) s
where d.accepted_at is not null and d.day >= (now() at time zone 'UTC')::date - 7
group by 1, 2;

-- The jobs of a phone, found by the index: what the views show of it is masked for auditors, so
-- they cannot look for it there.
create function sendcode.phone_jobs(p_phone text) returns table (job_id text, day date)
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
               concat_ws(', ', r.status, concat_ws(': ', r.code, c.meaning),
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
               concat_ws(', ', j.reason, concat_ws(': ', j.receipt_code, c.meaning),
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

revoke execute on function sendcode.phone_jobs from public;
grant execute on function sendcode.phone_jobs to sendcode_auditor, sendcode_investigator;

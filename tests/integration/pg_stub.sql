-- Stands in for the schema, to see what the worker's adapters send and how they take answers:
-- the functions give their parameters back, wait at a brake, and refuse rows on demand.
create schema sendcode;

-- Whoever locks it stops the calls; the sequences keep, over rollbacks, which claim ids came.
create table sendcode.brake (a int);
create sequence sendcode.calls;
create sequence sendcode.claim_id_1;
create sequence sendcode.claim_id_2;
create sequence sendcode.claim_id_3;
create table sendcode.heard (what text);
-- A row: claims fail with this SQLSTATE.
create table sendcode.trouble (state text);

create function sendcode.schema_version() returns int language sql as 'select 1000';

create function sendcode.take_epochs(p_topic text, p_partitions int[], p_restarted bool[],
                                     p_worker text)
returns table (part int, epoch bigint, incarnation int, next_offset bigint)
language sql as $$
    select p, 100 + p, case when r then 2 else 1 end, length(p_topic || p_worker)
    from unnest(p_partitions, p_restarted) x(p, r)
$$;

create function sendcode.refuse_poison(p_ids text[]) returns void language plpgsql as $$
declare
    v_id text;
begin
    foreach v_id in array p_ids loop
        if v_id like 'poison-data%' then
            raise exception 'invalid input: "+8613800138000"' using errcode = '22P02';
        elsif v_id like 'poison-key%' then
            raise exception 'duplicate key' using errcode = '23505';
        end if;
    end loop;
end
$$;

create function sendcode.have_trouble() returns void language plpgsql as $$
declare
    v_state text := (select state from sendcode.trouble);
begin
    if v_state is not null then
        raise exception 'could not extend file: No space left on device' using errcode = v_state;
    end if;
end
$$;

create function sendcode.claim(
    p_claim_id uuid, p_worker text, p_topic text, p_takeover_ms int, p_not_after_ms int,
    p_known_keys bytea[], p_partition int[], p_offset bigint[], p_incarnation int[],
    p_epoch bigint[], p_job_id text[], p_phone text[], p_scene text[],
    p_requested_at timestamptz[], p_deadline timestamptz[], p_locale text[], p_client_ip text[],
    p_traceparent text[], p_tracestate text[], p_refusal text[], p_ttl int[],
    p_resend_same bool[], p_code_length int[], p_cooldown int[], p_per_hour int[],
    p_per_day int[], p_max_tries int[], p_tries_window int[], p_max_tries_day int[],
    p_nonce bytea[], p_proof bytea[], p_key_id bytea[], p_phone_per_day int,
    p_address_per_hour int, p_address_per_day int, p_provider_per_day int,
    p_provider_interval int)
returns table (idx int, verdict text, wait_ms bigint, day date, deadline_in_ms bigint,
               life_ms bigint, code_length int, nonce bytea, proof bytea, key_id bytea,
               job_id text, phone text, scene text, state text, reason text, seq int,
               provider_code text, serial_no text, attempt int, retry_after int, at timestamptz,
               traceparent text, tracestate text)
language plpgsql as $$
begin
    perform setval('sendcode.claim_id_' || least(nextval('sendcode.calls'), 3),
                   abs(hashtextextended(p_claim_id::text, 0)) / 2 + 1);
    perform from sendcode.brake;
    perform sendcode.have_trouble();
    perform sendcode.refuse_poison(p_job_id);
    return query
        select i, split_part(p_job_id[i], '-', 1), p_offset[i],
               (p_requested_at[i] at time zone 'UTC')::date,
               (extract(epoch from p_deadline[i] - p_requested_at[i]) * 1000)::bigint,
               p_ttl[i] * 1000::bigint, p_code_length[i], p_nonce[i], p_proof[i], p_key_id[i],
               nullif(p_job_id[i], 'busy-1'), p_phone[i], p_scene[i], 'limited',
               p_refusal[i], p_partition[i], p_locale[i], p_client_ip[i],
               p_incarnation[i], nullif(p_cooldown[i], 0), p_requested_at[i],
               concat_ws('/', p_traceparent[i], p_epoch[i], p_resend_same[i], p_per_hour[i],
                         p_per_day[i], p_max_tries[i], p_tries_window[i], p_max_tries_day[i],
                         p_takeover_ms, p_not_after_ms, p_worker, p_topic,
                         array_to_string(p_known_keys, ','), p_phone_per_day, p_address_per_hour,
                         p_address_per_day, p_provider_per_day, p_provider_interval),
               p_tracestate[i]
        from generate_subscripts(p_job_id, 1) i
        order by i desc;
end
$$;

create function sendcode.record(
    p_worker text, p_topic text, p_job_id text[], p_day date[], p_partition int[],
    p_epoch bigint[], p_attempt int[], p_age_ms bigint[], p_duration_ms int[], p_outcome text[],
    p_state text[], p_reason text[], p_retry_after int[], p_http_status int[],
    p_provider_code text[], p_request_id text[], p_serial_no text[], p_fee int[],
    p_proof bytea[])
returns table (idx int, applied boolean, duplicate_send boolean, job_id text, phone text,
               scene text, state text, reason text, seq int, provider_code text, serial_no text,
               attempt int, retry_after int, at timestamptz, traceparent text, tracestate text)
language plpgsql as $$
begin
    perform nextval('sendcode.calls');
    perform from sendcode.brake;
    perform sendcode.refuse_poison(p_job_id);
    return query
        select i, p_epoch[i] > 0, p_epoch[i] > 1, p_job_id[i], p_worker, p_topic, p_state[i],
               p_reason[i], p_partition[i], p_provider_code[i], p_serial_no[i], p_attempt[i],
               p_retry_after[i], p_day[i]::timestamp at time zone 'UTC',
               concat_ws('/', p_age_ms[i], p_duration_ms[i], p_outcome[i], p_http_status[i],
                         p_request_id[i], p_fee[i]), encode(p_proof[i], 'hex')
        from generate_subscripts(p_job_id, 1) i
        order by i desc;
end
$$;

create function sendcode.note_records(p_topic text, p_partition int[], p_incarnation int[],
                                      p_offset bigint[], p_reason text[], p_gap_end bigint[])
returns void language plpgsql as $$
begin
    perform sendcode.refuse_poison(p_reason);
    insert into sendcode.heard
    select concat_ws('/', p_topic, p_partition[i], p_incarnation[i], p_offset[i], p_reason[i],
                     p_gap_end[i])
    from generate_subscripts(p_reason, 1) i;
end
$$;

create function sendcode.sweep() returns table (in_doubt bigint)
language plpgsql as $$
begin
    perform sendcode.refuse_poison(array(select what from sendcode.heard));
    return query select 3::bigint;
end
$$;

create function sendcode.outbox_take(p_limit int)
returns table (id bigint, job_id text, phone text, scene text, state text, reason text, seq int,
               provider_code text, serial_no text, attempt int, retry_after int, at timestamptz,
               traceparent text, tracestate text)
language sql as $$
    select 70 + g, 'out-' || g, '+8613800138000', 'login', 'unknown', 'deadline', p_limit,
           null, null, 1, null::int, now(), null, null
    from generate_series(1, 2) g
$$;

create function sendcode.outbox_done(p_ids bigint[]) returns void
language sql as $$ insert into sendcode.heard select 'done/' || array_to_string(p_ids, ',') $$;

-- Two jobs; of a poisoned topic, jobs that cannot be among them.
create function sendcode.take_parked(p_worker text, p_topic text, p_doubts int, p_retries int,
                                     p_lease_ms int, p_per_s int, p_grace_ms int)
returns table (kind text, lease bigint, job_id text, day date, phone text, scene text, locale text,
               requested_at timestamptz, deadline timestamptz, partition int, incarnation int,
               "offset" bigint, epoch bigint, attempt int, claimed_ago_ms bigint)
language plpgsql as $$
begin
    perform nextval('sendcode.calls');
    perform from sendcode.brake;
    perform sendcode.refuse_poison(array(select what from sendcode.heard));
    insert into sendcode.heard
    select concat_ws('/', p_worker, p_topic, p_doubts, p_retries, p_lease_ms, p_per_s, p_grace_ms);
    return query
        select 'doubt', 7::bigint, 'job-1', date '2026-11-22', '+8613800138000', 'login',
               'zh-CN', timestamptz '2026-11-22 08:00:00.5+00', timestamptz '2026-11-22 08:05+00',
               3, 2, 1234567890123, 9::bigint, 4, 2500::bigint
        union all
        select 'elsewhere', 8, 'job-2', date '2026-11-22', '+8613800138000', 'login', null, now(),
               now(), 0, 1, 0, 1, 1, 0
        union all
        select 'retry', 8, null, date '2026-11-22', '+8613800138000', 'login', null, now(),
               now(), 0, 1, 0, 1, 1, 0
        union all
        select 'retry', 9, 'job-3', date '2026-11-23', '+8613800138001', 'reset', null,
               timestamptz '2026-11-23 00:00+00', timestamptz '2026-11-23 00:01+00', 0, 1, 0, 1, 1,
               0;
end
$$;

-- Answers in the way that the job's name says, and notes what it got.
create function sendcode.settle(
    p_worker text, p_job_id text, p_day date, p_lease bigint, p_attempt int, p_grace_ms int,
    p_resend bool, p_whole bool, p_why text, p_serial_no text[], p_after_ms bigint[],
    p_accepted bool[], p_state text[], p_reason text[], p_code text[])
returns table (how text, job_id text, phone text, scene text, state text, reason text, seq int,
               provider_code text, serial_no text, attempt int, retry_after int, at timestamptz,
               traceparent text, tracestate text)
language plpgsql as $$
begin
    perform nextval('sendcode.calls');
    perform from sendcode.brake;
    perform sendcode.refuse_poison(array[p_job_id]);
    insert into sendcode.heard
    select concat_ws('/', p_worker, p_job_id, p_day, p_lease, p_attempt, p_grace_ms, p_resend,
                     p_whole, coalesce(p_why, 'null'), array_to_string(p_serial_no, ',', 'null'),
                     array_to_string(p_after_ms, ','), array_to_string(p_accepted, ','),
                     array_to_string(p_state, ',', 'null'),
                     array_to_string(p_reason, ',', 'null'), array_to_string(p_code, ',', 'null'));
    return query
        select split_part(p_job_id, '-', 1),
               case when p_job_id !~ '^(passed|odd|open-nobody)' then p_job_id end,
               '+8613800138000', 'login',
               case p_job_id when 'open-state' then 'elsewhere' else 'in_doubt' end,
               case p_job_id when 'open-reason' then 'elsewhere' end, 3, 'Ok', 'serial', p_attempt,
               null::int, now(), null, null
        where p_job_id <> 'open-none';
end
$$;

create function sendcode.release_parked(p_job_id text[], p_day date[], p_lease bigint[],
                                        p_wait_ms bigint[]) returns void
language plpgsql as $$
begin
    perform sendcode.refuse_poison(p_job_id);
    insert into sendcode.heard
    select concat_ws('/', array_to_string(p_job_id, ','), array_to_string(p_day, ','),
                     array_to_string(p_lease, ','), array_to_string(p_wait_ms, ','));
end
$$;

create function sendcode.share_rate(p_instance text, p_rate int, p_demand int, p_valid_ms int)
returns int
language plpgsql as $$
begin
    perform nextval('sendcode.calls');
    perform from sendcode.brake;
    perform sendcode.refuse_poison(array(select what from sendcode.heard));
    insert into sendcode.heard select concat_ws('/', p_rate, p_demand, p_valid_ms);
    insert into sendcode.heard select 'instance ' || p_instance;
    return nullif(p_rate / 2, 0);
end
$$;

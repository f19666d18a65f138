-- Changes that no Kafka offset protects are handed out until their event is acked.

-- Rows to announce: never taken, or taken so long ago that their worker must have died. With each
-- the job as it is now.
create or replace function sendcode.outbox_take(p_limit int)
returns table (
    id bigint, job_id text, phone text, scene text, state text, reason text, seq int,
    provider_code text, serial_no text, attempt int, retry_after int, at timestamptz,
    traceparent text, tracestate text)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_ids bigint[];
begin
    v_ids := array(
        select o.id from outbox o
        where o.taken_at is null or o.taken_at < clock_timestamp() - interval '10 seconds'
        order by o.id limit p_limit for update skip locked);
    if v_ids = '{}' then
        return;
    end if;
    update outbox o set taken_at = clock_timestamp() where o.id = any (v_ids);
    return query
    select o.id, d.job_id, d.phone, d.scene, d.state::text, d.reason, d.seq, d.provider_code,
           d.serial_no, d.attempts, d.retry_after, d.changed_at, d.traceparent, d.tracestate
    from outbox o
    cross join lateral (select * from delivery d
                        where d.job_id = o.job_id and d.day = o.day limit 1) d
    where o.id = any (v_ids)
    order by o.id;
end
$$;

-- Their events are acked.
create or replace function sendcode.outbox_done(p_ids bigint[]) returns void
language sql security definer
set search_path = sendcode, pg_temp
as $$
    delete from outbox where id = any (p_ids)
$$;

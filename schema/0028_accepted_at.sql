-- What was found to be accepted was not accepted before its attempt began: the provider's records tell
-- times in whole seconds by its own clock, and a latency is no negative number.

create or replace function sendcode.settle_sent(
    d sendcode.delivery, p_code_id bytea, p_worker text, p_attempt int, p_serial_no text,
    p_at timestamptz)
returns void
language plpgsql
as $$
declare
    v_now timestamptz := clock_timestamp();
    a record;
    v_at timestamptz;
    v_proof bytea;
begin
    select * into a from attempt t
    where t.job_id = d.job_id and t.day = d.day and t.attempt = p_attempt;
    v_at := greatest(p_at, a.at, case when p_attempt = d.attempts then d.claimed_at end);
    select case when code_id(c.next_nonce) = p_code_id then c.next_proof
                when code_id(c.live_nonce) = p_code_id then c.live_proof
                when d.job_id in (c.next_job_id, c.doubt_job_id) then c.next_proof end
    into v_proof
    from challenge c where c.phone = d.phone and c.scene = d.scene;
    perform record(
        coalesce(a.worker, p_worker), d.topic, array[d.job_id], array[d.day],
        -- No partition: a fact needs no epoch, and -1 is nobody's.
        array[null::int], array[-1::bigint], array[p_attempt],
        array[(extract(epoch from v_now - v_at) * 1000)::bigint + coalesce(a.duration_ms, 0)],
        array[coalesce(a.duration_ms, 0)], array['accepted'], array['sent'], array[null::text],
        array[null::int], array[coalesce(a.http_status, 0)], array['Ok'],
        array[a.request_id], array[p_serial_no], array[a.fee], array[v_proof]);
    -- How long it took is known no better than before.
    update attempt t set duration_ms = a.duration_ms
    where t.job_id = d.job_id and t.day = d.day and t.attempt = p_attempt;
end
$$;

-- A parked job that ended while its lease was held is announced, whoever ended it.

-- Gives leases back that are still the caller's. The rows of final jobs go, and the outbox announces
-- them: the caller may not know that a newer job took the place of its own, and an event once more
-- does no harm. The others may be taken again when p_wait_ms have passed.
create or replace function sendcode.release_parked(p_job_id text[], p_day date[], p_lease bigint[],
                                                   p_wait_ms bigint[])
returns void
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    r record;
    v_final bool;
begin
    for r in
        select * from unnest(p_job_id, p_day, p_lease, p_wait_ms) a(job_id, day, lease, wait_ms)
    loop
        -- Who holds it changes it: then it is not ours any more, or lapses.
        perform from parked p
        where p.job_id = r.job_id and p.day = r.day and p.lease = r.lease
        for update skip locked;
        continue when not found;
        v_final := exists (select from delivery d where d.job_id = r.job_id and d.day = r.day
                             and d.state not in ('claimed', 'retry', 'in_doubt', 'unknown'));
        if v_final then
            perform announce_late(r.job_id, r.day, clock_timestamp());
        else
            update parked p
            set lease_until = null,
                ask_at = clock_timestamp() + greatest(0, r.wait_ms) * interval '1 millisecond'
            where p.job_id = r.job_id and p.day = r.day;
        end if;
    end loop;
end
$$;

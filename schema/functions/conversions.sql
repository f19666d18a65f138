-- Verified codes, for workers that report them to Tencent (ReportConversion).

-- The next deliveries whose code was verified, p_limit at most, of messages accepted more than
-- p_after_s ago: by then their codes are over. Each is handed out once, to one worker; while one
-- takes, the others get none. Not more than 7 days back.
create or replace function sendcode.take_conversions(p_limit int, p_after_s int)
returns table (scene text, locale text, serial_no text, verified_at timestamptz)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_until timestamptz := clock_timestamp() - p_after_s * interval '1 second';
    v_at timestamptz;
    v_job text;
    v_to_at timestamptz;
    v_to_job text;
    v_full boolean;
    v_found int := 0;
begin
    select greatest(p.recorded_at, v_until - interval '7 days'), p.job_id into v_at, v_job
    from conversion_position p for update skip locked;
    if not found then
        return;
    end if;
    for v_round in 1..10 loop
        select t.recorded_at, t.job_id into v_to_at, v_to_job
        from attempt t
        where t.outcome = 'accepted' and t.recorded_at >= v_at and t.recorded_at <= v_until
          and (t.recorded_at, t.job_id) > (v_at, v_job)
          and t.day between (v_at at time zone 'UTC')::date - 5
                        and (v_until at time zone 'UTC')::date + 1
        order by t.recorded_at, t.job_id offset 1999 limit 1;
        v_full := found;
        if not v_full then
            v_to_at := greatest(v_at, v_until + interval '1 microsecond');
            v_to_job := case when v_to_at = v_at then v_job else '' end;
        end if;
        for scene, locale, serial_no, verified_at, v_at, v_job in
            select d.scene, d.locale, d.serial_no, d.verified_at, t.recorded_at, t.job_id
            from attempt t
            cross join lateral (select d.scene, d.locale, d.serial_no, d.verified_at from delivery d
                                where d.job_id = t.job_id and d.day = t.day limit 1) d
            where t.outcome = 'accepted' and t.recorded_at >= v_at and t.recorded_at <= v_to_at
              and (t.recorded_at, t.job_id) > (v_at, v_job)
              and (t.recorded_at, t.job_id) <= (v_to_at, v_to_job)
              and t.day between (v_at at time zone 'UTC')::date - 5
                            and (v_to_at at time zone 'UTC')::date + 1
              and d.verified_at is not null and d.serial_no is not null
            order by t.recorded_at, t.job_id limit p_limit
        loop
            v_found := v_found + 1;
            return next;
        end loop;
        if v_found < p_limit then
            v_at := v_to_at;
            v_job := v_to_job;
        end if;
        exit when v_found > 0 or not v_full;
    end loop;
    update conversion_position set recorded_at = v_at, job_id = v_job;
end
$$;

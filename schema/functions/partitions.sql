-- Months of delivery, attempt and receipt, made ahead.

-- Makes the partitions of p_months months from p_from's on, and returns how many were missing. A
-- plain table is made and attached: CREATE … PARTITION OF would lock out the parent's readers.
create or replace function sendcode.make_partitions(p_from date, p_months int) returns int
language plpgsql security definer
set search_path = sendcode, pg_temp
-- A receipt's month is one of UTC, as a job's.
set timezone = 'UTC'
as $$
declare
    v_month date;
    v_parent text;
    v_name text;
    v_made int := 0;
begin
    for v_month in
        select (date_trunc('month', p_from) + make_interval(months => m))::date
        from generate_series(0, p_months - 1) m
    loop
        foreach v_parent in array array['delivery', 'attempt', 'receipt'] loop
            v_name := v_parent || to_char(v_month, '_YYYYMM');
            continue when to_regclass(v_name) is not null;
            -- Another worker may be making it: wait, and look again.
            perform pg_advisory_xact_lock(hashtextextended('sendcode.make_partitions', 0));
            continue when to_regclass(v_name) is not null;
            execute format('create table %I (like %I including all excluding identity)
                            with (fillfactor = %s, autovacuum_vacuum_scale_factor = 0.05,
                                  autovacuum_vacuum_insert_scale_factor = 0.05)',
                           v_name, v_parent, case v_parent when 'delivery' then 50 else 90 end);
            execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                           v_parent, v_name, v_month, (v_month + interval '1 month')::date);
            v_made := v_made + 1;
        end loop;
    end loop;
    return v_made;
end
$$;

-- From yesterday's month on: a record of yesterday may still come, and a receipt before any worker.
select sendcode.make_partitions((now() at time zone 'UTC')::date - 1, 4);

-- Months that are older than the record is kept go, in bounded calls that hold nobody up, and the
-- accounts stay whole.

-- Counts the jobs of a day in its month's table.
create or replace function sendcode.count_day(p_table text, p_day date)
returns setof sendcode.pruned
language plpgsql
as $$
begin
    -- By the table's name, so that no other month is locked.
    return query execute format(
        'select topic, partition, incarnation, count(*), 0::bigint, 0::bigint, 0::bigint,
                max("offset") + 1
         from %I where day = $1 group by 1, 2, 3', p_table)
        using p_day;
end
$$;

-- Takes records that are no job, met before p_before, and returns how many they were.
create or replace function sendcode.prune_others(p_before timestamptz) returns setof sendcode.pruned
language sql
as $$
    with gone as (
        delete from sendcode.record_other where at < p_before returning *
    )
    select topic, partition, incarnation, 0::bigint, count(*) filter (where what = 'duplicate'),
           count(*) filter (where what = 'invalid'), 0::bigint, max("offset") + 1
    from gone group by 1, 2, 3
$$;

-- Takes the gaps below the offsets that are pruned, each offset counted once: runs may overlap, and
-- what reaches beyond stays.
create or replace function sendcode.prune_gaps(p_pruned sendcode.pruned[])
returns setof sendcode.pruned
language sql
as $$
    with below as (
        select topic, partition, incarnation, max(next_offset) as to_offset
        from unnest(p_pruned) group by 1, 2, 3
    ), gone as (
        delete from sendcode.offset_gap g using below b
        where g.topic = b.topic and g.partition = b.partition and g.incarnation = b.incarnation
          and g.from_offset < b.to_offset
        returning g.*, b.to_offset as edge
    ), runs as (
        select topic, partition, incarnation, edge,
               unnest(range_agg(int8range(from_offset, least(to_offset, edge)))) as run
        from gone group by 1, 2, 3, 4
    ), kept as (
        insert into sendcode.offset_gap as g (topic, partition, incarnation, from_offset, to_offset)
        select topic, partition, incarnation, edge, max(to_offset)
        from gone where to_offset > edge group by 1, 2, 3, 4
        on conflict (topic, partition, incarnation, from_offset)
        do update set to_offset = greatest(g.to_offset, excluded.to_offset)
    )
    select topic, partition, incarnation, 0::bigint, 0::bigint, 0::bigint,
           sum(upper(run) - lower(run))::bigint, edge
    from runs group by 1, 2, 3, edge
$$;

-- Months of p_parent that were over p_days days ago, with the first day after each.
create or replace function sendcode.old_months(p_parent text, p_days int)
returns table (name text, ends date)
language sql stable
as $$
    select c.relname::text, m.ends
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    cross join lateral (
        select (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month')::date as ends) m
    where i.inhparent = to_regclass('sendcode.' || p_parent) and c.relname ~ '_[0-9]{6}$'
      and p_days > 0 and m.ends <= (clock_timestamp() at time zone 'UTC')::date - p_days
    order by m.ends
$$;

-- Counts the months of deliveries that are to go, the oldest first, and begins no further day once
-- p_until is past. Jobs come to today's months alone, so what is counted stays so.
create or replace function sendcode.count_months(p_days int, p_until timestamptz) returns void
language plpgsql
as $$
declare
    m record;
    v_day date;
    v_begun boolean := false;
begin
    for m in select * from old_months('delivery', p_days) loop
        v_day := coalesce((select c.counted_to from counted_month c where c.ends = m.ends),
                          m.ends - interval '1 month');
        while v_day < m.ends loop
            if v_begun and clock_timestamp() > p_until then
                return;
            end if;
            v_begun := true;
            insert into counted_month as c (ends, counted_to, jobs)
            values (m.ends, v_day + 1, array(select p from count_day(m.name, v_day) p))
            on conflict (ends) do update
            set counted_to = excluded.counted_to, jobs = c.jobs || excluded.jobs;
            v_day := v_day + 1;
        end loop;
    end loop;
end
$$;

-- Drops the months of deliveries that are counted, and prunes what belongs to them. Readers and
-- workers are locked out for a moment.
create or replace function sendcode.drop_deliveries(p_days int) returns setof text
language plpgsql
as $$
declare
    v_names text[];
    v_pruned sendcode.pruned[];
    v_name text;
    v_ends date;
begin
    select array_agg(o.name order by o.ends), max(o.ends) into v_names, v_ends
    from old_months('delivery', p_days) o join counted_month c on c.ends = o.ends
    where c.counted_to = c.ends;
    if v_names is null then
        return;
    end if;
    with counted as (delete from counted_month where ends <= v_ends returning jobs)
    select array_agg(p) into v_pruned from counted c cross join lateral unnest(c.jobs) p;
    v_pruned := v_pruned
        || array(select p from prune_others(v_ends::timestamp at time zone 'UTC') p);
    v_pruned := v_pruned || array(select p from prune_gaps(v_pruned) p);

    lock table delivery in access exclusive mode;
    insert into partition_progress as g (topic, partition, incarnation, next_offset, pruned_jobs,
                                         pruned_duplicates, pruned_invalid, pruned_gaps)
    select p.topic, p.partition, p.incarnation, max(p.next_offset), sum(p.jobs), sum(p.duplicates),
           sum(p.invalid), sum(p.gaps)
    from unnest(v_pruned) p
    group by 1, 2, 3 order by 1, 2, 3
    on conflict (topic, partition, incarnation) do update
    set next_offset = greatest(g.next_offset, excluded.next_offset),
        pruned_jobs = g.pruned_jobs + excluded.pruned_jobs,
        pruned_duplicates = g.pruned_duplicates + excluded.pruned_duplicates,
        pruned_invalid = g.pruned_invalid + excluded.pruned_invalid,
        pruned_gaps = g.pruned_gaps + excluded.pruned_gaps;
    foreach v_name in array v_names loop
        execute format('drop table %I', v_name);
        return next v_name;
    end loop;
end
$$;

-- Drops months of attempts or receipts.
create or replace function sendcode.drop_months(p_parent text, p_days int) returns setof text
language plpgsql
as $$
declare
    v_name text;
begin
    for v_name in select name from old_months(p_parent, p_days) loop
        execute format('lock table %I in access exclusive mode', p_parent);
        execute format('drop table %I', v_name);
        return next v_name;
    end loop;
end
$$;

-- Drops what is older than so many days (7 to 36500; 0: kept for ever), in whole months: deliveries
-- when all their days are counted, which may take some calls, and with them their records that were no
-- job, and wrong tries. Returns the tables dropped, those of one kind a call: none are left when it
-- returns nothing and counted_month is empty. A table that somebody reads for long is left for another
-- time, with a warning in the server's log: nobody waits for us longer than half a second.
create or replace function sendcode.retain(p_deliveries int, p_attempts int, p_receipts int)
returns table (dropped text)
language plpgsql security definer
set search_path = sendcode, pg_temp
set timezone = 'UTC'
set lock_timeout = '500ms'
set jit = off
as $$
declare
    v_parent text;
    v_days int;
begin
    foreach v_days in array array[p_deliveries, p_attempts, p_receipts] loop
        if v_days is null or v_days <> 0 and v_days not between 7 and 36500 then
            raise exception 'what is retained is given in days, 7 to 36500, or 0 for ever'
                using errcode = '22023';
        end if;
    end loop;
    -- Another worker is at it.
    if not pg_try_advisory_xact_lock(hashtextextended('sendcode.retain', 0)) then
        return;
    end if;
    if p_deliveries > 0 then
        delete from wrong_try
        where ctid = any (array(select ctid from wrong_try
                                where at < clock_timestamp() - p_deliveries * interval '1 day'
                                limit 100000));
    end if;
    perform count_months(p_deliveries, clock_timestamp() + interval '5 seconds');
    foreach v_parent in array array['delivery', 'attempt', 'receipt'] loop
        begin
            if v_parent = 'delivery' then
                return query select * from drop_deliveries(p_deliveries);
            else
                return query select * from drop_months(
                    v_parent, case v_parent when 'attempt' then p_attempts else p_receipts end);
            end if;
            -- What was dropped stays locked until the end: nothing else is waited for meanwhile.
            exit when found;
        exception when lock_not_available or deadlock_detected then
            raise warning 'old months of sendcode.% are in use: dropped another time', v_parent;
        end;
    end loop;
end
$$;

comment on function sendcode.retain(int, int, int) is
    'Drops deliveries, attempts and receipts older than so many days (0: never), in whole months,
keeping accounting whole. Workers call it every hour with [retention] of their configuration.';

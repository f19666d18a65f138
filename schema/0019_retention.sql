-- Retention: months that are older than the record is kept go, and the accounts stay whole.

-- What a month of deliveries, and the records that are none and as old, add to the accounts goes to
-- the totals of their partitions, in the transaction that drops them.
create function sendcode.prune_deliveries(p_table regclass, p_before timestamptz) returns bigint
language plpgsql
as $$
declare
    v_others bigint;
begin
    execute format('
        insert into partition_progress as g (topic, partition, incarnation, next_offset,
                                             pruned_jobs)
        select topic, partition, incarnation, max("offset") + 1, count(*) from %s
        group by 1, 2, 3 order by 1, 2, 3
        on conflict (topic, partition, incarnation)
        do update set pruned_jobs = g.pruned_jobs + excluded.pruned_jobs', p_table);
    with gone as (
        delete from record_other where at < p_before returning topic, partition, incarnation, what
    ), totals as (
        select topic, partition, incarnation,
               count(*) filter (where what = 'duplicate') as duplicates,
               count(*) filter (where what = 'invalid') as invalid
        from gone group by 1, 2, 3 order by 1, 2, 3
    ), put as (
        update partition_progress g
        set pruned_duplicates = g.pruned_duplicates + t.duplicates,
            pruned_invalid = g.pruned_invalid + t.invalid
        from totals t
        where g.topic = t.topic and g.partition = t.partition and g.incarnation = t.incarnation)
    select count(*) into v_others from gone;
    return v_others;
end
$$;

-- Drops the months that ended more than so many days ago (0: none), and returns what went. One
-- worker at a time; a month that is in use at the moment goes the next time: whoever waits for its
-- lock makes all others wait.
create function sendcode.retain(p_deliveries int, p_attempts int, p_receipts int)
returns table (dropped text)
language plpgsql security definer
set search_path = sendcode, pg_temp
set timezone = 'UTC'
set lock_timeout = '1s'
as $$
declare
    v_others bigint;
    r record;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('sendcode.retain', 0)) then
        return;
    end if;
    for r in
        select c.oid::regclass as part, c.relname::text as name, k.parent,
               to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' as ends
        from (values ('delivery', p_deliveries), ('attempt', p_attempts), ('receipt', p_receipts))
             k(parent, days)
        join pg_inherits i on i.inhparent = to_regclass(k.parent)
        join pg_class c on c.oid = i.inhrelid
        where k.days > 0
          and to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month'
              <= current_date - k.days
        order by c.relname
    loop
        begin
            v_others := 0;
            if r.parent = 'delivery' then
                v_others := prune_deliveries(r.part, r.ends);
            end if;
            execute format('drop table %s', r.part);
            dropped := r.name;
            return next;
            if v_others > 0 then
                dropped := format('%s rows of record_other until %s', v_others, r.ends::date);
                return next;
            end if;
        exception when lock_not_available then
            null;
        end;
    end loop;
end
$$;

comment on function sendcode.retain(int, int, int) is
    'Drops months of deliveries, attempts and receipts that ended more than so many days ago (0: keeps
all), and returns what it dropped. Workers call it hourly with what [retention] says.';

revoke execute on function sendcode.prune_deliveries, sendcode.retain from public;
grant execute on function sendcode.retain to sendcode_worker;

-- Whose a partition is, and what was met in it.

-- Takes a new epoch for each partition: claims and decisions of all earlier ones are fenced from
-- then on. p_restarted: the log started again, so its offsets belong to a new incarnation (none is
-- opened while the present one has met nothing, so that asking twice is harmless).
create or replace function sendcode.take_epochs(p_topic text, p_partitions int[],
                                                p_restarted bool[], p_worker text)
returns table (part int, epoch bigint, incarnation int, next_offset bigint)
language plpgsql security definer
set search_path = sendcode, pg_temp
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
    r record;
begin
    -- Before the first claim of a worker that was away for months.
    perform make_partitions((v_now at time zone 'UTC')::date - 1, 3);
    for r in
        select a.partition, bool_or(a.restarted) as restarted
        from unnest(p_partitions, p_restarted) a(partition, restarted)
        group by a.partition
        order by a.partition
    loop
        insert into partition_epoch (topic, partition, epoch, incarnation, owner, taken_at)
        values (p_topic, r.partition, 0, 1, p_worker, v_now)
        on conflict do nothing;
        update partition_epoch e
        set epoch = e.epoch + 1, owner = p_worker, taken_at = v_now
        where e.topic = p_topic and e.partition = r.partition
        returning e.epoch, e.incarnation into epoch, incarnation;
        part := r.partition;
        next_offset := coalesce((select g.next_offset from partition_progress g
                                 where g.topic = p_topic and g.partition = r.partition
                                   and g.incarnation = take_epochs.incarnation), 0);
        if r.restarted and next_offset > 0 then
            update partition_epoch e set incarnation = e.incarnation + 1
            where e.topic = p_topic and e.partition = r.partition
            returning e.incarnation into incarnation;
            next_offset := 0;
        end if;
        return next;
    end loop;
end
$$;

-- Holds the epochs of these partitions until the transaction ends, and returns the partitions with
-- their epochs and the next offset that is new in their present incarnation.
create or replace function sendcode.lock_epochs(p_topic text, p_partition int[],
                                                out partitions int[], out epochs bigint[],
                                                out next_offsets bigint[])
language plpgsql
as $$
begin
    select array_agg(e.partition), array_agg(e.epoch), array_agg(coalesce(e.next_offset, 0))
    into partitions, epochs, next_offsets
    from (select o.partition, o.epoch, g.next_offset
          from partition_epoch o
          left join partition_progress g on g.topic = o.topic and g.partition = o.partition
                                        and g.incarnation = o.incarnation
          where o.topic = p_topic and o.partition = any (p_partition)
          order by o.partition for share of o) e;
end
$$;

-- Notes records that are no job (p_reason: why), and gaps from p_offset up to, without, p_gap_end
-- (p_reason null). Noting the same again changes nothing.
create or replace function sendcode.note_records(p_topic text, p_partition int[],
                                                 p_incarnation int[], p_offset bigint[],
                                                 p_reason text[], p_gap_end bigint[])
returns void
language plpgsql security definer
set search_path = sendcode, pg_temp
set enable_seqscan = off
set jit = off
as $$
begin
    insert into record_other (topic, partition, incarnation, "offset", at, what, reason)
    select p_topic, a.partition, a.incarnation, a."offset", clock_timestamp(), 'invalid', a.reason
    from unnest(p_partition, p_incarnation, p_offset, p_reason)
         a(partition, incarnation, "offset", reason)
    where a.reason is not null
    order by a.partition, a.incarnation, a."offset"
    on conflict do nothing;

    insert into offset_gap as g (topic, partition, incarnation, from_offset, to_offset)
    select p_topic, a.partition, a.incarnation, a.from_offset, max(a.to_offset)
    from unnest(p_partition, p_incarnation, p_offset, p_reason, p_gap_end)
         a(partition, incarnation, from_offset, reason, to_offset)
    where a.reason is null and a.to_offset > a.from_offset
    group by a.partition, a.incarnation, a.from_offset
    order by a.partition, a.incarnation, a.from_offset
    on conflict (topic, partition, incarnation, from_offset)
    do update set to_offset = excluded.to_offset
    where g.to_offset < excluded.to_offset;

    insert into partition_progress as g (topic, partition, incarnation, next_offset)
    select p_topic, a.partition, a.incarnation,
           max(case when a.reason is null then a.to_offset else a."offset" + 1 end)
    from unnest(p_partition, p_incarnation, p_offset, p_reason, p_gap_end)
         a(partition, incarnation, "offset", reason, to_offset)
    group by a.partition, a.incarnation
    order by a.partition, a.incarnation
    on conflict (topic, partition, incarnation)
    do update set next_offset = excluded.next_offset
    where g.next_offset < excluded.next_offset;
end
$$;

-- Notes how far the partitions were met by their owners.
create or replace function sendcode.note_met(p_topic text, p_partition int[], p_incarnation int[],
                                             p_offset bigint[], p_epoch bigint[],
                                             p_partitions int[], p_epochs bigint[]) returns void
language plpgsql
as $$
begin
    insert into partition_progress as g (topic, partition, incarnation, next_offset)
    select p_topic, a.partition, a.incarnation, max(a."offset") + 1
    from unnest(p_partition, p_incarnation, p_offset, p_epoch)
         a(partition, incarnation, "offset", epoch)
    where p_epochs[array_position(p_partitions, a.partition)] = a.epoch
    group by a.partition, a.incarnation
    order by a.partition, a.incarnation
    on conflict (topic, partition, incarnation)
    do update set next_offset = excluded.next_offset
    where g.next_offset < excluded.next_offset;
end
$$;

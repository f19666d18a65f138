-- Dead letters that `sendcodectl replay` puts back on the jobs topic: each at most once, unless
-- forced. A letter is marked, and that committed, before it is put back.

-- Which of the letters were put back already: their places in the arrays, from 1.
create or replace function sendcode.replays_find(
    p_topic text, p_partition int[], p_offset bigint[], p_dead_at timestamptz[])
returns table (idx int)
language sql stable security definer
set search_path = sendcode, pg_temp
as $$
select l.idx::int
from unnest(p_partition, p_offset, p_dead_at) with ordinality
    as l (partition, "offset", dead_at, idx)
join dead_letter_replay r using (partition, "offset", dead_at)
where r.topic = p_topic
$$;

-- Marks those that nobody has marked, or all by force; returns the places of those that it marked.
create or replace function sendcode.replays_mark(
    p_topic text, p_partition int[], p_offset bigint[], p_dead_at timestamptz[], p_force boolean)
returns table (idx int)
language sql security definer
set search_path = sendcode, pg_temp
as $$
with letter as (
    select * from unnest(p_partition, p_offset, p_dead_at) with ordinality
        as l (partition, "offset", dead_at, idx)
), marked as (
    insert into dead_letter_replay as r (topic, partition, "offset", dead_at, times, replayed_at)
    select p_topic, partition, "offset", dead_at, 1, clock_timestamp()
    from letter
    order by partition, "offset"
    on conflict (topic, partition, "offset") do update
    set times = case when r.dead_at = excluded.dead_at then r.times + 1 else 1 end,
        dead_at = excluded.dead_at, replayed_at = excluded.replayed_at
    where p_force or r.dead_at <> excluded.dead_at
    returning partition, "offset"
)
select idx::int from letter join marked using (partition, "offset")
$$;

-- Takes one mark back from letters that were not put back after all.
create or replace function sendcode.replays_unmark(
    p_topic text, p_partition int[], p_offset bigint[], p_dead_at timestamptz[])
returns void
language sql security definer
set search_path = sendcode, pg_temp
as $$
with lowered as (
    update dead_letter_replay r
    set times = r.times - 1
    from unnest(p_partition, p_offset, p_dead_at) as l (partition, "offset", dead_at)
    where r.topic = p_topic and r.partition = l.partition and r."offset" = l."offset"
        and r.dead_at = l.dead_at and r.times > 1
)
delete from dead_letter_replay r
using unnest(p_partition, p_offset, p_dead_at) as l (partition, "offset", dead_at)
where r.topic = p_topic and r.partition = l.partition and r."offset" = l."offset"
    and r.dead_at = l.dead_at and r.times = 1
$$;

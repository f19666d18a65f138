-- The account's rate, shared by all workers: each says what it could use, and is granted a part
-- for a while.

-- How p_rate is spread: nobody gets more than it demands while another lacks (max-min), and what
-- nobody demands is spread evenly, one part being kept for who comes next: a worker that starts, as
-- in every restart, need not wait until the others' grants lapse. What cannot be divided goes around
-- by the time.
create or replace function sendcode.fair_share(p_instance text, p_rate int, p_demand int,
                                               p_now timestamptz) returns int
language plpgsql
as $$
declare
    v_turn text := (extract(epoch from p_now)::bigint / 5)::text;
    v_instances text[];
    v_demands int[];
    v_left int := p_rate;
    v_n int;
    v_part int;
    v_mine int := 0;
begin
    select array_agg(s.instance order by s.demand, md5(s.instance || v_turn)),
           array_agg(s.demand order by s.demand, md5(s.instance || v_turn))
    into v_instances, v_demands
    from (select p_instance as instance, p_demand as demand
          union all
          (select distinct on (o.instance) o.instance, o.demand from rate_share o
           where o.instance <> p_instance order by o.instance, o.asked_at desc)) s;
    v_n := cardinality(v_instances);
    -- First what is demanded, the least first, then the rest.
    for i in 1 .. 2 * v_n loop
        if i <= v_n then
            v_part := least(v_left / (v_n + 1 - i), v_demands[i]);
        else
            v_part := v_left / (2 * v_n + 2 - i);
        end if;
        v_left := v_left - v_part;
        if v_instances[(i - 1) % v_n + 1] = p_instance then
            v_mine := v_mine + v_part;
        end if;
    end loop;
    return v_mine;
end
$$;

-- What the caller may send a second, until p_valid_ms have passed since before it asked. Never
-- more than p_rate less what the others were granted and may still be using: a worker that asks no
-- more gives its part back by and by.
create or replace function sendcode.share_rate(p_instance text, p_rate int, p_demand int,
                                               p_valid_ms int)
returns int
language plpgsql security definer
set search_path = sendcode, pg_temp
set enable_seqscan = off
set jit = off
as $$
declare
    v_now timestamptz;
    v_used bigint;
    v_granted int;
begin
    perform pg_advisory_xact_lock(hashtextextended('sendcode.share_rate', 0));
    v_now := clock_timestamp();
    delete from rate_share where valid_until <= v_now;
    v_used := coalesce((select sum(o.granted)
                        from (select max(s.granted) as granted from rate_share s
                              where s.instance <> p_instance group by s.instance) o), 0);
    v_granted := greatest(0, least(fair_share(p_instance, p_rate, greatest(0, p_demand), v_now),
                                   p_rate - v_used));
    insert into rate_share (instance, demand, granted, asked_at, valid_until)
    values (p_instance, greatest(0, p_demand), v_granted, v_now,
            v_now + p_valid_ms * interval '1 millisecond');
    return v_granted;
end
$$;

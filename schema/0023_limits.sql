-- Limits over all scenes: of a phone, of a client address, and a mirror of the provider's own.

-- Counted only while their limits are on. The window opens with its first charged job. The mirror
-- has the jobs of one of the provider's days by name: one that ends unsent leaves it, one that
-- takes another's place takes its name's place, and none counts twice.
alter table sendcode.phone_limit
    add column day_from timestamptz,
    add column day_jobs int not null default 0,
    add column provider_day date,
    add column provider_jobs text[] not null default '{}';

-- A client address, an IPv6 one by its /64: the same windows, over all phones.
create table sendcode.address_limit (
    address   cidr primary key,
    -- When both windows are over: changes only when one opens, so that charges stay heap-only.
    over_at   timestamptz not null,
    hour_from timestamptz,
    day_from  timestamptz,
    hour_jobs int not null default 0,
    day_jobs  int not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

create index address_limit_over on sendcode.address_limit (over_at);

-- What an address counts as.
create function sendcode.limit_address(p_ip inet) returns cidr
language sql immutable strict
as $$
    select case
        when family(p_ip) = 4 then set_masklen(p_ip, 32)::cidr
        when p_ip <<= inet '::ffff:0.0.0.0/96'
            then (inet '0.0.0.0' + (set_masklen(p_ip, 128) - inet '::ffff:0.0.0.0'))::cidr
        else network(set_masklen(p_ip, 64)) end
$$;

-- The day by which the provider counts, in China, and when it ends.
create function sendcode.provider_day(p_at timestamptz) returns date
language sql immutable
as $$ select (p_at at time zone interval '8 hours')::date $$;

create function sendcode.provider_day_end(p_at timestamptz) returns timestamptz
language sql immutable
as $$
    select ((p_at at time zone interval '8 hours')::date + 1)::timestamp
           at time zone interval '8 hours'
$$;

-- Locks the addresses and makes the rows that are missing, as lock_phones does. Returns what each
-- counts as, in the same order.
create function sendcode.lock_addresses(p_client_ip text[]) returns cidr[]
language plpgsql
as $$
declare
    v_addresses cidr[] := array(select limit_address(a.ip::inet)
                                from unnest(p_client_ip) with ordinality a(ip, i) order by a.i);
begin
    insert into address_limit (address, over_at)
    select distinct a.address, timestamptz '-infinity' from unnest(v_addresses) a(address)
    where a.address is not null order by a.address
    on conflict (address) do update set over_at = excluded.over_at where false;
    return v_addresses;
end
$$;

-- When an address takes the next job; null: now, and it is charged if p_charge. 0 of either limit
-- is none. Jobs of a batch ask one after the other.
create function sendcode.address_until(p_address cidr, p_charge bool, p_per_hour int,
                                       p_per_day int, p_now timestamptz) returns timestamptz
language plpgsql strict
as $$
declare
    l sendcode.address_limit;
    v_until timestamptz;
begin
    select * into l from address_limit where address = p_address;
    if l.hour_from is null or l.hour_from + interval '1 hour' <= p_now then
        l.hour_from := p_now;
        l.hour_jobs := 0;
    end if;
    if l.day_from is null or l.day_from + interval '24 hours' <= p_now then
        l.day_from := p_now;
        l.day_jobs := 0;
    end if;
    v_until := greatest(
        case when p_per_hour > 0 and l.hour_jobs >= p_per_hour
            then l.hour_from + interval '1 hour' end,
        case when p_per_day > 0 and l.day_jobs >= p_per_day
            then l.day_from + interval '24 hours' end);
    if v_until is null and p_charge then
        update address_limit
        set hour_from = l.hour_from, hour_jobs = l.hour_jobs + 1, day_from = l.day_from,
            day_jobs = l.day_jobs + 1,
            over_at = greatest(l.hour_from + interval '1 hour', l.day_from + interval '24 hours')
        where address = p_address;
    end if;
    return v_until;
end
$$;

-- Notes what was claimed of each phone, which is there once: charged or not, in the place of
-- another job (p_taken) or not. The provider counts each on the day of its attempt, if p_mirror.
create function sendcode.charge_phones(p_phone text[], p_job_id text[], p_taken text[],
                                       p_charged bool[], p_mirror bool, p_now timestamptz)
returns boolean
language plpgsql
as $$
begin
    insert into phone_limit as l (phone, day_from, day_jobs, provider_day, provider_jobs)
    select a.phone, case when a.charged then
                        case when l.day_from > p_now - interval '24 hours' then l.day_from
                             else p_now end
                    else l.day_from end,
           case when not a.charged then l.day_jobs
                when l.day_from > p_now - interval '24 hours' then l.day_jobs + 1
                else 1 end,
           case when p_mirror then provider_day(p_now) else l.provider_day end,
           case when not p_mirror then l.provider_jobs
                when l.provider_day = provider_day(p_now) then
                    array_remove(array_remove(l.provider_jobs, a.job_id), a.taken)
                    || a.job_id
                else array[a.job_id] end
    from unnest(p_phone, p_job_id, p_taken, p_charged) a(phone, job_id, taken, charged)
    cross join lateral (select * from phone_limit l where l.phone = a.phone limit 1) l
    on conflict (phone) do update
    set day_from = excluded.day_from, day_jobs = excluded.day_jobs,
        provider_day = excluded.provider_day, provider_jobs = excluded.provider_jobs;
    return true;
end
$$;

-- When the message of a job was accepted, or else may have been.
create function sendcode.message_at(p_job_id text, p_day date) returns timestamptz
language plpgsql strict
as $$
begin
    return (select coalesce(d.accepted_at, d.claimed_at) from delivery d
            where d.job_id = p_job_id and d.day = p_day);
end
$$;

-- Of several jobs of a phone the newest is decided (the others are older), of a job that is there
-- twice one record (the others are same_job).
create function sendcode.rank_batch(p_job_id text[], p_phone text[], p_requested_at timestamptz[],
                                    out first_at timestamptz, out last_at timestamptz,
                                    out same_job int[], out older int[])
language plpgsql
as $$
begin
    select min(k.at), max(k.at), array_agg(k.i) filter (where k.nr > 1),
           array_agg(k.i) filter (where k.place > 1)
    into first_at, last_at, same_job, older
    from (select a.at, a.i::int as i,
                 row_number() over (partition by a.job_id collate "C"
                                    order by a.at desc, a.i desc) as nr,
                 row_number() over (partition by a.phone collate "C"
                                    order by a.at desc, a.i desc) as place
          from unnest(p_job_id, p_phone, p_requested_at) with ordinality a(job_id, phone, at, i)) k;
end
$$;

-- Notes how far the partitions were met by their owners.
create function sendcode.note_met(p_topic text, p_partition int[], p_incarnation int[],
                                  p_offset bigint[], p_epoch bigint[], p_partitions int[],
                                  p_epochs bigint[]) returns void
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

-- A job is certainly unsent, for good: its cooldown is given back if nothing was charged since, and
-- the provider did not count it. Then its code leaves the next place, as drop_code says.
create or replace function sendcode.drop_next(p_phone text, p_scene text, p_job_id text)
returns boolean
language plpgsql
as $$
begin
    update phone_limit
    set provider_jobs = array_remove(provider_jobs, p_job_id)
    where phone = p_phone and p_job_id = any (provider_jobs);
    update challenge
    set charged_job_id = null, charged_at = null
    where phone = p_phone and scene = p_scene and charged_job_id = p_job_id;
    perform drop_code(p_phone, p_scene, p_job_id);
    return true;
end
$$;

-- Deletes those of the phones that have no challenge and no window that runs; passes by those that
-- others hold.
create or replace function sendcode.drop_idle_phones(p_phones text[]) returns void
language plpgsql
as $$
declare
    v_phones text[] := p_phones;
begin
    -- Once they are locked nobody makes a challenge for them; until then somebody may have.
    for v_look in 1 .. 2 loop
        v_phones := array(select a.phone from unnest(v_phones) a(phone)
                          left join lateral (select true as there from challenge c
                                             where c.phone = a.phone limit 1) c on true
                          where c.there is null);
        if v_phones = '{}' then
            return;
        end if;
        v_phones := array(select l.phone from phone_limit l where l.phone = any (v_phones)
                          for update skip locked);
    end loop;
    delete from phone_limit
    where phone = any (v_phones)
      and coalesce(day_from + interval '24 hours' <= clock_timestamp(), true)
      and coalesce(provider_day < provider_day(clock_timestamp()), true);
end
$$;

-- Deletes addresses whose windows are over, and phones that never got a challenge, some at a time,
-- the phones going round and round.
create or replace function sendcode.drop_phones(p_limit int) returns void
language plpgsql
as $$
declare
    v_from text;
    v_phones text[];
begin
    -- Once locked, a row keeps its place.
    delete from address_limit
    where ctid = any (array(select ctid from address_limit where over_at <= clock_timestamp()
                            order by over_at limit p_limit for update skip locked));

    select phone into v_from from sweep_position for update skip locked;
    -- Another worker is at it.
    if not found then
        return;
    end if;
    v_phones := array(select phone from phone_limit where phone > v_from order by phone
                      limit p_limit);
    update sweep_position
    set phone = case when cardinality(v_phones) < p_limit then '' else v_phones[p_limit] end;
    perform drop_idle_phones(v_phones);
end
$$;

revoke execute on function sendcode.limit_address, sendcode.provider_day, sendcode.provider_day_end,
    sendcode.lock_addresses, sendcode.address_until, sendcode.charge_phones,
    sendcode.message_at, sendcode.rank_batch, sendcode.note_met from public;

-- Limits over all scenes: of a phone, of a client address, and a mirror of the provider's own.

-- What an address counts as.
create or replace function sendcode.limit_address(p_ip inet) returns cidr
language sql immutable strict
as $$
    select case
        when family(p_ip) = 4 then set_masklen(p_ip, 32)::cidr
        when p_ip <<= inet '::ffff:0.0.0.0/96'
            then (inet '0.0.0.0' + (set_masklen(p_ip, 128) - inet '::ffff:0.0.0.0'))::cidr
        else network(set_masklen(p_ip, 64)) end
$$;

-- When an address takes the next job; null: now, and it is charged if p_charge. 0 of either limit
-- is none. Jobs of a batch ask one after the other.
create or replace function sendcode.address_until(p_address cidr, p_charge bool, p_per_hour int,
                                                  p_per_day int, p_now timestamptz)
returns timestamptz
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
create or replace function sendcode.charge_phones(p_phone text[], p_job_id text[], p_taken text[],
                                                  p_charged bool[], p_mirror bool,
                                                  p_now timestamptz)
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

-- Receipts that workers ask for: those of the account's queue, and by number for deliveries whose
-- receipt is overdue.

-- Takes or keeps the one lease; false: another worker has it.
create or replace function sendcode.take_pull(p_worker text, p_lease_ms int) returns boolean
language plpgsql security definer
set search_path = sendcode, pg_temp
as $$
begin
    update receipt_pull
    set worker = p_worker, until = clock_timestamp() + p_lease_ms * interval '1 millisecond'
    where worker = p_worker or until <= clock_timestamp();
    return found;
end
$$;

-- Keeps receipts that a worker was given, as they came (p_fault: why one cannot be understood). One
-- that was asked for by number before, and joined, is not kept again.
create or replace function sendcode.store_receipts(
    p_source text, p_serial_no text[], p_phone text[], p_status text[], p_code text[],
    p_description text[], p_user_received_at timestamptz[], p_raw text[],
    p_fault text[] default null)
returns void
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
    v_now timestamptz := clock_timestamp();
begin
    insert into receipt (source, serial_no, phone, status, code, description, user_received_at,
                         raw, fault)
    select p_source, a.serial_no, a.phone, a.status, a.code, a.description, a.at,
           convert_to(a.raw, 'UTF8'), p_fault[a.i]
    from unnest(p_serial_no, p_phone, p_status, p_code, p_description, p_user_received_at, p_raw)
         with ordinality a(serial_no, phone, status, code, description, at, raw, i)
    where p_source <> 'by_number' or not exists (
        select from delivery d
        cross join lateral (select from receipt k
                            where k.job_id = d.job_id and k.serial_no = a.serial_no
                              and k.status = a.status
                              and k.received_at > v_now - interval '40 days' limit 1) k
        where d.phone = receipt_phone(a.phone) and d.serial_no = a.serial_no
          and d.day > (v_now at time zone 'UTC')::date - 15)
    order by a.i;
end
$$;

-- Notes deliveries that were accepted p_overdue_s ago and have no receipt yet, unless enough wait
-- to be asked about: what is more than 7 days old the provider tells no more.
create or replace function sendcode.note_overdue(p_overdue_s int, p_now timestamptz) returns void
language plpgsql
as $$
declare
    v_from timestamptz;
    v_to timestamptz := p_now - p_overdue_s * interval '1 second';
begin
    select recorded_at into v_from from overdue_position for update skip locked;
    if not found or (select count(*) from (select from receipt_overdue where ask_at <= p_now
                                           limit 1000) w) >= 1000 then
        return;
    end if;
    v_from := greatest(v_from, p_now - interval '7 days');
    with accepted as materialized (
        select t.job_id, t.day, t.recorded_at from attempt t
        where t.outcome = 'accepted' and t.recorded_at > v_from and t.recorded_at <= v_to
          and t.day between (v_from at time zone 'UTC')::date - 5
                        and (v_to at time zone 'UTC')::date + 1
        order by t.recorded_at fetch first 2000 rows with ties
    ),
    noted as (
        insert into receipt_overdue (job_id, day, ask_at)
        select a.job_id, a.day, p_now
        from accepted a
        cross join lateral (select d.state from delivery d
                            where d.job_id = a.job_id and d.day = a.day limit 1) d
        where d.state = 'sent'
        on conflict do nothing
    )
    update overdue_position
    set recorded_at = case when (select count(*) from accepted) < 2000 then greatest(v_from, v_to)
                           else (select max(a.recorded_at) from accepted a) end;
end
$$;

-- Deliveries whose receipt is overdue, to be asked about by number: each at most six times, later
-- and later.
create or replace function sendcode.overdue_receipts(p_limit int, p_overdue_s int)
returns table (job_id text, day date, phone text, scene text, accepted_at timestamptz)
language plpgsql security definer
set search_path = sendcode, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_now timestamptz := clock_timestamp();
    v_wait interval;
    v_asked bool;
    v_waits interval[] := array['10 minutes', '1 hour', '6 hours', '1 day', '3 days'];
    r record;
begin
    perform note_overdue(p_overdue_s, v_now);
    for r in
        select o.job_id, o.day, o.asks, d.phone, d.scene, d.state, d.accepted_at
        from receipt_overdue o
        left join lateral (select * from delivery d
                           where d.job_id = o.job_id and d.day = o.day limit 1) d on true
        where o.ask_at <= v_now
        -- Most have their receipt by now.
        order by o.ask_at limit 1000 for update of o skip locked
    loop
        exit when p_limit <= 0;
        v_wait := v_waits[r.asks + 1];
        -- Of an erased phone nobody knows the pseudonym.
        v_asked := coalesce(r.state = 'sent' and r.accepted_at > v_now - interval '7 days'
                            and strpos(r.phone, '~') = 0, false);
        if v_asked and v_wait is not null then
            update receipt_overdue o set ask_at = v_now + v_wait, asks = o.asks + 1
            where o.job_id = r.job_id and o.day = r.day;
        else
            delete from receipt_overdue o where o.job_id = r.job_id and o.day = r.day;
        end if;
        continue when not v_asked;
        p_limit := p_limit - 1;
        job_id := r.job_id;
        day := r.day;
        phone := r.phone;
        scene := r.scene;
        accepted_at := r.accepted_at;
        return next;
    end loop;
end
$$;

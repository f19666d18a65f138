-- The locks of phones and addresses. All functions keep one order: epochs, phones, addresses and
-- jobs, each sorted; then challenges, which the phones guard; then deliveries.

-- Locks the phones, and makes the rows that are missing: an upsert that updates nothing locks what
-- it meets. Whoever holds a phone is alone with its challenges, but for verify, unlock and sweep.
create or replace function sendcode.lock_phones(p_phone text[]) returns void
language plpgsql
as $$
begin
    insert into phone_limit (phone)
    select distinct a.phone collate "C" as phone from unnest(p_phone) a(phone)
    where a.phone is not null order by phone
    on conflict (phone) do update set phone = excluded.phone where false;
end
$$;

-- Locks the addresses and makes the rows that are missing, as lock_phones does. Returns what each
-- counts as, in the same order.
create or replace function sendcode.lock_addresses(p_client_ip text[]) returns cidr[]
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

-- Locks a phone, unless another holds it.
create or replace function sendcode.try_phone(p_phone text) returns boolean
language plpgsql
as $$
begin
    insert into phone_limit (phone) values (p_phone) on conflict do nothing;
    perform from phone_limit where phone = p_phone for update skip locked;
    return found;
end
$$;

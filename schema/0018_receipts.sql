-- The carriers' receipts: stored as they came, joined to the jobs by workers.

-- Nobody filled the first one.
drop view sendcode.receipts;
drop table sendcode.receipt;

-- A receipt as it came, and what it was found to be about. By month of received_at.
create table sendcode.receipt (
    id               bigint generated always as identity,
    received_at      timestamptz not null default clock_timestamp(),
    -- When it is looked at next; null: never again.
    ask_at           timestamptz default clock_timestamp(),
    looked_at        timestamptz,
    -- When the phone had it, or the carrier gave it up.
    user_received_at timestamptz,
    -- How often it was looked at in vain.
    asks             int not null default 0,
    day              date,
    source           text not null check (source in ('callback', 'pull', 'by_number')),
    serial_no        text,
    phone            text,
    status           text,
    code             text,
    description      text,
    -- The element, or the whole body that could not be taken apart, as it came.
    raw              bytea not null,
    -- Why it can be understood by nobody: in quarantine, and not looked at.
    fault            text,
    -- Null: not known yet.
    match            text check (match in ('joined', 'orphan', 'repeat')),
    job_id           text collate "C",
    primary key (id, received_at)
) partition by range (received_at);

create index receipt_job on sendcode.receipt (job_id) where job_id is not null;
create index receipt_waiting on sendcode.receipt (ask_at) where match is null and fault is null;
create index receipt_orphan on sendcode.receipt (ask_at)
    where match = 'orphan' and ask_at is not null;

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

-- Before the first receipt: the receiver may run before any worker.
select sendcode.make_partitions((now() at time zone 'UTC')::date - 1, 4);

-- What was found out about a receipt is none of the receiver's business.
grant insert (source, serial_no, phone, status, code, description, user_received_at, raw, fault)
    on sendcode.receipt to sendcode_receiver;

create view sendcode.receipts as
select r.serial_no,
       case when (select sendcode.sees_phones()) then r.phone
            else sendcode.mask_phone(r.phone) end as phone,
       r.status, r.code, r.user_received_at, r.received_at, r.source, r.match, r.job_id,
       r.description, r.fault, r.id
from sendcode.receipt r;

comment on view sendcode.receipts is
    'The carriers'' receipts as they came. match: joined (it moved job_id), repeat (job_id had its
receipt already), orphan (no job of ours explains it; looked at again for three days); null: not
looked at yet, waiting for its job, or in quarantine (fault says why).';

grant select on sendcode.receipts to sendcode_auditor, sendcode_investigator;

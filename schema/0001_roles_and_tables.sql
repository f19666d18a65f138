-- Roles, types and tables. Who may do what is in the last migration of the first version (grants);
-- what each table is for and in which order its rows are locked: docs/DATA.md.

create schema if not exists sendcode;

-- Roles belong to the whole cluster: another database may have made them, even at this moment.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['sendcode_worker', 'sendcode_receiver', 'sendcode_verifier',
                                  'sendcode_auditor', 'sendcode_investigator'] loop
        if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
            begin
                execute format('create role %I nologin', v_role);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;
end
$$;

-- What `sendcodectl migrate` has applied.
create table if not exists sendcode.schema_migration (
    version    int primary key,
    name       text not null,
    sha256     bytea not null,
    applied_at timestamptz not null default now()
);

create type sendcode.job_state as enum (
    'claimed', 'retry', 'in_doubt', 'sent', 'delivered', 'undelivered', 'rejected', 'limited',
    'superseded', 'expired', 'unknown');

create type sendcode.attempt_outcome as enum ('accepted', 'refused', 'not_sent', 'in_doubt');

-- Keys have collation "C": comparing bytes is cheap, and orders locks alike in every database.

-- A job. No index on a column that changes: it would cost every heap-only update.
create table sendcode.delivery (
    job_id           text collate "C" not null,
    day              date not null,
    phone            text collate "C" not null,
    scene            text collate "C" not null,
    state            sendcode.job_state not null,
    seq              int not null,
    attempts         int not null default 0,
    partition        int not null,
    incarnation      int not null,
    "offset"         bigint not null,
    epoch            bigint not null,
    requested_at     timestamptz not null,
    deadline         timestamptz not null,
    changed_at       timestamptz not null,
    claimed_at       timestamptz,
    takeover_at      timestamptz,
    not_after        timestamptz,
    accepted_at      timestamptz,
    verified_at      timestamptz,
    receipt_at       timestamptz,
    claim_id         uuid,
    retry_after      int,
    accepted_attempt int,
    duplicate_send   boolean not null default false,
    topic            text not null,
    worker           text not null,
    reason           text,
    provider_code    text,
    serial_no        text,
    receipt_code     text,
    client_ip        inet,
    locale           text,
    traceparent      text,
    tracestate       text,
    primary key (job_id, day)
) partition by range (day);

create index delivery_phone on sendcode.delivery (phone, day);

-- A try to send a job. moved: this outcome moved the job's state (a repeated record knows itself).
create table sendcode.attempt (
    job_id        text collate "C" not null,
    day           date not null,
    attempt       int not null,
    duration_ms   int,
    at            timestamptz not null,
    recorded_at   timestamptz not null,
    outcome       sendcode.attempt_outcome not null,
    moved         boolean not null,
    http_status   int,
    fee           int,
    provider_code text,
    request_id    text,
    serial_no     text,
    worker        text not null,
    primary key (job_id, day, attempt)
) partition by range (day);

-- A phone over all scenes. Whoever locks its row is alone with the phone's jobs.
create table sendcode.phone_limit (
    phone text collate "C" primary key
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

-- The codes, limits and tries of a phone and scene. A place without a proof holds no code any
-- more: spent, its times are null too; expired, its times stay for a day.
create table sendcode.challenge (
    phone             text collate "C" not null,
    scene             text collate "C" not null,
    -- When sweep must look at the row; never later than the first end of grace. Claims leave it
    -- alone when they can, so that their updates stay heap-only.
    sweep_at          timestamptz not null,
    -- Until then the phone takes no other job, of any scene: next_job_id may be at the provider.
    busy_until        timestamptz,
    -- next: the code under way, with the latest job that carries it. doubt: the latest job in
    -- doubt or unknown that carried this very code.
    next_state        sendcode.job_state,
    next_length       int,
    next_requested_at timestamptz,
    next_start        timestamptz,
    next_end          timestamptz,
    next_day          date,
    doubt_day         date,
    next_job_id       text collate "C",
    doubt_job_id      text collate "C",
    next_nonce        bytea,
    next_proof        bytea,
    next_key_id       bytea,
    -- live: the code that the provider accepted last.
    live_length       int,
    live_requested_at timestamptz,
    live_start        timestamptz,
    live_end          timestamptz,
    live_day          date,
    live_job_id       text collate "C",
    live_nonce        bytea,
    live_proof        bytea,
    live_key_id       bytea,
    -- limits: the last charge (charged_at null: given back), and the two windows.
    charged_at        timestamptz,
    hour_from         timestamptz,
    day_from          timestamptz,
    hour_jobs         int not null default 0,
    day_jobs          int not null default 0,
    charged_day       date,
    charged_job_id    text collate "C",
    -- tries: wrong ones in both windows, and the scene's budget as its last claim said it.
    tries_from        timestamptz,
    day_tries_from    timestamptz,
    tries             int not null default 0,
    day_tries         int not null default 0,
    max_tries         int not null,
    tries_window      int not null,
    max_tries_day     int not null,
    primary key (phone, scene)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

create index challenge_sweep on sendcode.challenge (sweep_at);

-- Each counted wrong try.
create table sendcode.wrong_try (
    phone     text collate "C" not null,
    scene     text collate "C" not null,
    at        timestamptz not null,
    client_ip inet
);

create index wrong_try_phone on sendcode.wrong_try (phone, at);

-- Who owns a partition of a topic: claims and decisions of another epoch are fenced.
create table sendcode.partition_epoch (
    topic       text not null,
    partition   int not null,
    epoch       bigint not null,
    incarnation int not null,
    owner       text not null,
    taken_at    timestamptz not null,
    primary key (topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- How far a partition was met, and what retention has removed of it.
create table sendcode.partition_progress (
    topic             text not null,
    partition         int not null,
    incarnation       int not null,
    next_offset       bigint not null,
    pruned_jobs       bigint not null default 0,
    pruned_duplicates bigint not null default 0,
    pruned_invalid    bigint not null default 0,
    pruned_gaps       bigint not null default 0,
    primary key (topic, partition, incarnation)
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- Records that are no job, one row an offset.
create table sendcode.record_other (
    topic       text not null,
    partition   int not null,
    incarnation int not null,
    "offset"    bigint not null,
    at          timestamptz not null,
    what        text not null check (what in ('invalid', 'duplicate')),
    reason      text,
    job_id      text collate "C",
    primary key (topic, partition, incarnation, "offset")
);

create index record_other_job on sendcode.record_other (job_id) where job_id is not null;

-- Runs of offsets that the log skipped (transactions, compaction), without to_offset itself.
create table sendcode.offset_gap (
    topic       text not null,
    partition   int not null,
    incarnation int not null,
    from_offset bigint not null,
    to_offset   bigint not null,
    primary key (topic, partition, incarnation, from_offset)
);

-- Jobs in doubt or unknown. due_at: when sweep moves them on.
create table sendcode.parked (
    job_id    text collate "C" not null,
    day       date not null,
    kind      sendcode.job_state not null check (kind in ('in_doubt', 'unknown')),
    phone     text collate "C" not null,
    scene     text collate "C" not null,
    due_at    timestamptz not null,
    deadline  timestamptz not null,
    not_after timestamptz not null,
    parked_at timestamptz not null,
    primary key (job_id, day)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

create index parked_due on sendcode.parked (due_at);

-- Changes of state that no offset protects, until their event is acked.
create table sendcode.outbox (
    id         bigint generated always as identity primary key,
    day        date not null,
    created_at timestamptz not null,
    taken_at   timestamptz,
    job_id     text collate "C" not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The carriers' receipts as they came; nothing fills it yet.
create table sendcode.receipt (
    id               bigint generated always as identity primary key,
    received_at      timestamptz not null default now(),
    user_received_at timestamptz,
    serial_no        text,
    phone            text,
    status           text,
    code             text,
    source           text not null,
    match            text check (match in ('joined', 'orphan', 'repeat')),
    job_id           text
);

create index receipt_job on sendcode.receipt (job_id) where job_id is not null;

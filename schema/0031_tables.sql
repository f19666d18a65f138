-- Types and tables: what each is for, and in which order rows are locked, is told in
-- docs/DATA.md. Stands for versions 1 to 31, whose steps are of no use to a new database.

create schema if not exists sendcode;

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
    -- What the provider billed, over all accepted messages. Null, in older rows also 0: nothing, or
    -- nobody was told.
    segments         int,
    primary key (job_id, day)
) partition by range (day);
create index delivery_phone on sendcode.delivery (phone, day);
-- Rows lie in the order of their days: a few pages tell where a day is. Unlike a tree, that costs
-- the claims nothing, and a day never changes, so that updates stay heap-only.
create index delivery_day on sendcode.delivery using brin (day)
    with (pages_per_range = 32, autosummarize = on);

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
    -- What the provider said about it when it was in doubt, an object a question.
    settlement    jsonb,
    primary key (job_id, day, attempt)
) partition by range (day);
create index attempt_day on sendcode.attempt using brin (day)
    with (pages_per_range = 32, autosummarize = on);
-- Accepted ones in the order of their recording: overdue receipts and conversions go along it.
create index attempt_accepted on sendcode.attempt (recorded_at) where outcome = 'accepted';

-- A phone over all scenes. Whoever locks its row is alone with the phone's jobs. Counted only while
-- [limits] are on: the window opens with its first charged job; the mirror has the jobs of one of the
-- provider's days by name: one that ends unsent leaves it, one that takes another's place takes its
-- name's place, and none counts twice.
create table sendcode.phone_limit (
    phone         text collate "C" primary key,
    day_from      timestamptz,
    day_jobs      int not null default 0,
    provider_day  date,
    provider_jobs text[] not null default '{}'
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

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
create index wrong_try_at on sendcode.wrong_try using brin (at) with (autosummarize = on);

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

-- Jobs whose offset is done though they are not final: in doubt, unknown, or settled as certainly
-- unsent (retry) and not final since, or not yet announced. due_at: when sweep moves them on. The lease
-- stands for who works on it; what may happen to the job rests on its phone's lock, its state, its
-- attempt and its partition's epoch as ever.
create table sendcode.parked (
    job_id      text collate "C" not null,
    day         date not null,
    kind        sendcode.job_state not null
                constraint parked_kind_check check (kind in ('in_doubt', 'retry', 'unknown')),
    phone       text collate "C" not null,
    scene       text collate "C" not null,
    due_at      timestamptz not null,
    deadline    timestamptz not null,
    not_after   timestamptz not null,
    parked_at   timestamptz not null,
    -- Raised at each taking, and when the job is parked anew.
    lease       bigint not null default 0,
    lease_until timestamptz,
    leased_at   timestamptz,
    leased_by   text,
    -- Not taken before; how often it was asked about in vain.
    ask_at      timestamptz not null default now(),
    asks        int not null default 0,
    -- Null: parked by a worker that did not know of it.
    topic       text,
    -- Which code the job carried (sendcode.code_id).
    code_id     bytea,
    primary key (job_id, day)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index parked_due on sendcode.parked (due_at);
create index parked_deadline on sendcode.parked (kind, deadline);
create index parked_unknown on sendcode.parked (ask_at) where kind = 'unknown';
create index parked_phone on sendcode.parked (phone);

-- When the provider's records were asked for last, over all workers.
create table sendcode.pace (
    asked_at timestamptz[] not null default '{}'
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.pace default values;

-- Changes of state that no offset protects, until their event is acked.
create table sendcode.outbox (
    id         bigint generated always as identity primary key,
    day        date not null,
    created_at timestamptz not null,
    taken_at   timestamptz,
    job_id     text collate "C" not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- A part of the account's rate, granted to a worker until it lapses. A worker has several while an
-- earlier one may still be in use.
create table sendcode.rate_share (
    instance    text not null,
    demand      int not null,
    granted     int not null,
    asked_at    timestamptz not null,
    valid_until timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Where drop_phones goes on.
create table sendcode.sweep_position (
    phone text collate "C" not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.sweep_position values ('');

-- A dead letter that `sendcodectl replay` has put back: marked, and that committed, before.
create table sendcode.dead_letter_replay (
    topic       text collate "C" not null,   -- of the dead letters
    partition   int not null,
    "offset"    bigint not null,
    dead_at     timestamptz not null,        -- the letter's sendcode-at
    times       int not null,
    replayed_at timestamptz not null,
    primary key (topic, partition, "offset")
);
comment on column sendcode.dead_letter_replay.dead_at is
    'A topic made anew has other letters at the same offsets: theirs differs.';

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
    match            text check (match in ('joined', 'orphan', 'repeat')),
    job_id           text collate "C",
    primary key (id, received_at)
) partition by range (received_at);
create index receipt_job on sendcode.receipt (job_id) where job_id is not null;
create index receipt_waiting on sendcode.receipt (ask_at) where match is null and fault is null;
create index receipt_orphan on sendcode.receipt (ask_at)
    where match = 'orphan' and ask_at is not null;
-- What was looked at and belongs to no job yet, by phone: next to nothing.
create index receipt_undecided on sendcode.receipt (phone)
    where job_id is null and fault is null and looked_at is not null and ask_at is not null;

-- What is needed of a receipt to join it. at: not later than it came.
create type sendcode.receipt_fact as (
    id bigint, received_at timestamptz, at timestamptz, asks int, source text, serial_no text,
    phone text, status text, code text, match text, fault text);

-- Filled by receipt_codes.sql.
create table sendcode.receipt_code (
    code     text collate "C" primary key,
    kind     text not null,
    carriers text not null,
    meaning  text not null
);
comment on table sendcode.receipt_code is
    'What the codes in the carriers'' receipts mean; carriers: whose codes they are.';

-- Who may pull from the account's queue, which hands out each receipt once, to whoever asks.
create table sendcode.receipt_pull (
    worker text,
    until  timestamptz not null default '-infinity'
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.receipt_pull default values;

-- Up to which accepted attempt overdue receipts were looked for.
create table sendcode.overdue_position (
    recorded_at timestamptz not null
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.overdue_position values (now());

-- Deliveries without a receipt that was due; ask_at: when they are asked about (again).
create table sendcode.receipt_overdue (
    job_id text collate "C" not null,
    day    date not null,
    ask_at timestamptz not null,
    asks   int not null default 0,
    primary key (job_id, day)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
create index receipt_overdue_due on sendcode.receipt_overdue (ask_at);

-- Up to which accepted attempt verified codes were handed out: those with the same time by job_id.
create table sendcode.conversion_position (
    recorded_at timestamptz not null,
    job_id      text collate "C" not null default ''
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
insert into sendcode.conversion_position values (now());

-- What retention drops, in totals by partition of the topic.
create type sendcode.pruned as (
    topic text, partition int, incarnation int, jobs bigint, duplicates bigint, invalid bigint,
    gaps bigint, next_offset bigint);

"""Judges the history of a run by what the contract promises. Shares no code with the worker, and
knows nothing of the faults: each check yields one sentence for each breach.

checker.py DIR: judges the run kept in DIR; exit 1 if anything is wrong.
"""

import datetime
import functools
import json
import re
import sys
from collections import Counter, defaultdict

from history import read_history

# Which state may follow which (CONTRACT.md section 4); "new" is before the first.
FACTS = {"delivered", "undelivered"}
DECISIONS = {
    "new": {"claimed", "limited", "superseded", "expired"},
    "claimed": {"sent", "retry", "rejected", "limited", "expired", "in_doubt"},
    "retry": {"claimed", "superseded", "limited", "expired"},
    "in_doubt": {"sent", "retry", "rejected", "limited", "expired", "unknown"},
    "sent": set(), "rejected": set(), "limited": set(), "superseded": set(), "expired": set(),
    "unknown": set(),
}
MOVES = {state: next_states | ({"sent"} | FACTS if state not in ("new", "sent") else FACTS)
         for state, next_states in DECISIONS.items()}
MOVES["new"] = DECISIONS["new"]
MOVES.update({state: set() for state in FACTS})

AT_REST = {"sent", "delivered", "undelivered", "rejected", "limited", "superseded", "expired",
           "unknown"}
ACCEPTED = {"sent", "delivered", "undelivered"}
# Lines of a worker's log that must never stand there.
NEVER_LOGGED = ("panic at", "AddressSanitizer", "runtime error:", "a second SMS of this job",
                "the database refuses to record", "level=fatal")
JOB_OF_LINE = re.compile(r"\bjob_id=(\S+)")
TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?")
LATENESS = 1.0  # seconds that the sandbox may take from arrival to its note in the ledger


def value_of(record):
    """The job that a record's value holds; None if it holds none."""
    try:
        job = json.loads(record["value"].encode("latin-1"))
    except (AttributeError, ValueError):
        return None
    return job if isinstance(job, dict) else None


def intent(record):
    return dict(record["headers"]).get("chaos-intent")


def place(row):
    return row["partition"], row["offset"]


def spot(where):
    return f"partition {where[0]} offset {where[1]}"


# --- the accounts ---

def check_accounts(h):
    """Per partition: records = jobs + duplicates + invalid, each offset once, all committed."""
    held = defaultdict(set)
    for record in h.jobs:
        held[record["partition"]].add(record["offset"])
    outcomes = defaultdict(Counter)
    for row in h.delivery + h.record_other:
        outcomes[row["partition"]][row["offset"]] += 1
    for p in sorted(set(held) | set(outcomes)):
        yield from (f"partition {p} offset {o} has no outcome: lost"
                    for o in sorted(held[p] - set(outcomes[p])))
        yield from (f"partition {p} offset {o} has an outcome, and the topic has no such record"
                    for o in sorted(set(outcomes[p]) - held[p]))
        yield from (f"partition {p} offset {o} has {n} outcomes"
                    for o, n in sorted(outcomes[p].items()) if n > 1)
    for p, (_, end) in sorted(h.ends.items()):
        if h.committed.get(p, 0) != end:
            yield f"partition {p} ends at {end}, and the group committed {h.committed.get(p, 0)}"
    yield from check_accounting_view(h)


def check_accounting_view(h):
    rows = {row["partition"]: row for row in h.accounting}
    jobs = Counter(row["partition"] for row in h.delivery)
    others = Counter((row["partition"], row["what"]) for row in h.record_other)
    for p, (first, end) in sorted(h.ends.items()):
        want = {"records": end - first, "jobs": jobs[p], "duplicates": others[p, "duplicate"],
                "invalid": others[p, "invalid"], "gaps": 0, "next_offset": end}
        if p not in rows:
            if end > first:
                yield f"accounting has no row of partition {p}"
            continue
        for name, number in want.items():
            if rows[p][name] != number:
                yield f"accounting of partition {p} says {name} = {rows[p][name]}, not {number}"


def check_records(h):
    """Each record became what it was meant to be, and each job_id one job."""
    jobs = {place(row): row for row in h.delivery}
    others = {place(row): row for row in h.record_other}
    named = Counter(row["job_id"] for row in h.delivery)
    for record in h.jobs:
        where, meant, value = place(record), intent(record), value_of(record)
        other = others.get(where, {}).get("what")
        if meant == "invalid":
            if other != "invalid":
                yield f"{spot(where)} is invalid, and was taken for a {other or 'job'}"
            continue
        if other == "invalid":
            yield f"{spot(where)} is a job, and was refused as {others[where]['reason']}"
            continue
        if named[value["job_id"]] != 1:
            yield f"job {value['job_id']} has {named[value['job_id']]} deliveries"
        row = jobs.get(where)
        if row and any(row[name] != value[name] for name in ("job_id", "phone", "scene")):
            yield f"job {value['job_id']} was stored as another: {row}"
        if other == "duplicate" and others[where].get("job_id") != value["job_id"]:
            yield f"{spot(where)} is noted as a duplicate of {others[where].get('job_id')}"


# --- what was sent ---

def check_ledger(h):
    """Nothing is sent twice; what was accepted is recorded as such, and nothing else is."""
    jobs = {row["job_id"]: row for row in h.delivery}
    accepted = defaultdict(list)
    for sms in h.ledger:
        accepted[sms["session_context"]].append(sms)
    for job_id, messages in accepted.items():
        if len(messages) > 1:
            yield f"job {job_id} was accepted {len(messages)} times: DOUBLE SEND"
        row = jobs.get(job_id)
        if row is None:
            yield f"job {job_id} was accepted, and the database does not know it"
            continue
        if any(sms["phone"] != row["phone"] for sms in messages):
            yield f"job {job_id} was sent to another phone"
        if row["state"] in ACCEPTED:
            if row.get("serial_no") not in [sms["serial_no"] for sms in messages]:
                yield (f"job {job_id} is {row['state']} with {row.get('serial_no')}, the ledger"
                       f" says {messages[0]['serial_no']}")
        elif row["state"] != "unknown":
            yield f"job {job_id} was accepted, and is {row['state']}"
    for row in h.delivery:
        if row["state"] in ACCEPTED and row["job_id"] not in accepted:
            yield f"job {row['job_id']} is {row['state']}, and nothing of it was accepted"
        if row.get("duplicate_send"):
            yield f"job {row['job_id']} is noted as sent twice"


def check_lateness(h):
    """No request leaves after the deadline; one under way lives as long as its signature."""
    deadlines = {row["job_id"]: row["deadline"] for row in h.delivery}
    for sms in h.ledger:
        at = datetime.datetime.fromisoformat(sms["at"].replace("Z", "+00:00")).timestamp()
        late = at - deadlines.get(sms["session_context"], at)
        if late > h.signature_life + LATENESS:
            yield f"job {sms['session_context']} was accepted {late:.1f} s after its deadline"


def was_told_late(attempt):
    """Its worker was fenced when it said that nothing was sent."""
    return attempt["outcome"] in ("not_sent", "refused") and attempt.get("moved") is False


def check_attempts(h):
    """An attempt's row says what the ledger says; `unknown` only where something was in doubt."""
    serials = {sms["serial_no"]: sms["session_context"] for sms in h.ledger}
    jobs = {row["job_id"]: row for row in h.delivery}
    rows = defaultdict(list)
    for row in h.attempt:
        rows[row["job_id"]].append(row)
        if row["job_id"] not in jobs:
            yield f"an attempt of job {row['job_id']}, which is not there"
        elif not 1 <= row["attempt"] <= jobs[row["job_id"]]["attempts"]:
            yield f"job {row['job_id']} has an attempt number {row['attempt']} too many"
        if row["outcome"] == "accepted" and serials.get(row.get("serial_no")) != row["job_id"]:
            yield f"job {row['job_id']} has an accepted attempt that the ledger does not know"
    for job_id, job in jobs.items():
        outcomes = Counter(row["outcome"] for row in rows[job_id])
        # What a former owner says later of an attempt in doubt is kept, and moves nothing.
        doubted = outcomes["in_doubt"] or any(row.get("settlement") or was_told_late(row)
                                              for row in rows[job_id])
        if job["state"] == "unknown" and not doubted:
            yield f"job {job_id} is unknown, and no attempt of it was in doubt"
        if job["state"] == "sent" and outcomes["accepted"] != 1:
            yield f"job {job_id} is sent, with {outcomes['accepted']} accepted attempts"
        if sum(outcomes.values()) != job["attempts"]:
            yield f"job {job_id} has {sum(outcomes.values())} rows for {job['attempts']} attempts"


def check_limits(h):
    """Each phone and scene is charged once for each job that was claimed; a job that took another's
    place took its charge, too."""
    charged = Counter()
    for row in h.delivery:
        if row.get("claimed") and row["state"] != "superseded":
            charged[row["phone"], row["scene"]] += 1
    counted = {(row["phone"], row["scene"]): row["day_jobs"] for row in h.challenge}
    for key in sorted(set(charged) | set(counted)):
        if counted.get(key, 0) != charged[key]:
            yield (f"phone {key[0]}, scene {key[1]}: charged {counted.get(key, 0)} times for"
                   f" {charged[key]} jobs")


# --- what was said of it ---

@functools.cache
def reachable(state, steps):
    """Where exactly so many moves may lead."""
    if steps <= 0:
        return frozenset({state} if steps == 0 else ())
    return frozenset().union(*(reachable(s, steps - 1) for s in MOVES[state]))


def shortcuts(h):
    """How many retries a job passed over: one whose attempt was told late to be unsent is claimed
    again at once."""
    return Counter(row["job_id"] for row in h.attempt if was_told_late(row))


def leads_to(state, steps, passed):
    return frozenset().union(*(reachable(state, steps + n) for n in range(passed + 1)))


def check_states(h):
    passed = shortcuts(h)
    for row in h.delivery:
        if row["state"] not in AT_REST:
            yield f"job {row['job_id']} is still {row['state']}"
        elif row["state"] not in leads_to("new", row["seq"], passed[row["job_id"]]):
            yield f"job {row['job_id']} is {row['state']} after {row['seq']} moves"


def check_events(h):
    """The events of a job lead from the first state to the table's by legal moves."""
    said = defaultdict(dict)
    for record in h.events:
        event = json.loads(record["value"].encode("latin-1"))
        key = (record["key"] or "").encode("latin-1").decode()
        if key != event["job_id"]:
            yield f"an event of job {event['job_id']} has the key {key}"
        other = said[event["job_id"]].setdefault(event["seq"], event)
        if other["state"] != event["state"]:
            yield (f"job {event['job_id']} was announced as {other['state']} and as"
                   f" {event['state']}, both with seq {event['seq']}")
    jobs = {row["job_id"]: row for row in h.delivery}
    yield from (f"an event of job {job_id}, which is not there" for job_id in set(said) - set(jobs))
    passed = shortcuts(h)
    for job_id, row in jobs.items():
        state, seq = "new", 0
        for next_seq, event in sorted(said[job_id].items()):
            if event["state"] not in leads_to(state, next_seq - seq, passed[job_id]):
                yield (f"job {job_id} went from {state} to {event['state']} in"
                       f" {next_seq - seq} moves")
            state, seq = event["state"], next_seq
        yield from check_last_event(row, said[job_id].get(seq))


def check_last_event(row, event):
    if event is None:
        yield f"job {row['job_id']} was never announced"
        return
    for name in ("state", "seq", "reason", "scene", "provider_code", "serial_no", "retry_after"):
        if event.get(name) != row.get(name):
            yield (f"job {row['job_id']} was last announced with {name} {event.get(name)}, the"
                   f" table says {row.get(name)}")
    digits = len(row["phone"]) - 1
    masked = f"+{row['phone'][1:1 + max(0, min(5, digits - 8))]}****{row['phone'][-4:]}"
    if event["phone"] != masked:
        yield f"job {row['job_id']} was announced with the phone {event['phone']}"


def check_dead_letters(h):
    """One at least for each invalid record, byte for byte, and for nothing else."""
    invalid = {place(row): row for row in h.record_other if row["what"] == "invalid"}
    records = {place(record): record for record in h.jobs}
    buried = set()
    for letter in h.dead:
        headers = dict(letter["headers"])
        where = int(headers["sendcode-partition"]), int(headers["sendcode-offset"])
        buried.add(where)
        if where not in invalid or where not in records:
            yield f"a dead letter of {spot(where)}, which is not invalid"
            continue
        record = records[where]
        if letter["key"] != record["key"]:
            yield f"the dead letter of {spot(where)} has another key"
        own = [pair for pair in letter["headers"] if not pair[0].startswith("sendcode-")]
        if "sendcode-omitted" in headers:
            if letter["value"] is not None or '"code"' not in (record["value"] or ""):
                yield f"the dead letter of {spot(where)} says wrongly that it omits something"
        elif letter["value"] != record["value"] or own != record["headers"]:
            yield f"the dead letter of {spot(where)} is not what the record was"
    yield from (f"{spot(where)} is invalid, and has no dead letter"
                for where in sorted(set(invalid) - buried))


def check_rest(h):
    """Nothing is left to be done, but what may be asked for three days."""
    jobs = {row["job_id"]: row for row in h.delivery}
    yield from (f"the outbox still has job {row['job_id']}" for row in h.outbox)
    for row in h.parked:
        state = jobs.get(row["job_id"], {}).get("state")
        if state != "unknown" or row["kind"] != "unknown":
            yield f"job {row['job_id']} is {state}, and parked as {row['kind']}"


# --- what nobody may read ---

def check_secrecy(h):
    """A job's code stands in no event, row or log line of that job."""
    codes = defaultdict(set)
    for sms in h.ledger:
        codes[sms["session_context"]].add(sms["params"][0])

    def holds(job_id, text):
        """As a word of its own, and not as part of a time."""
        return any(code in text and
                   re.search(rf"(?<![0-9A-Za-z.]){code}(?![0-9A-Za-z])", TIMES.sub("", text))
                   for code in codes.get(job_id, ()))

    for record in h.events:
        event = json.loads(record["value"].encode("latin-1"))
        if holds(event["job_id"], record["value"]):
            yield f"an event of job {event['job_id']} holds its code"
    for table in ("delivery", "attempt", "record_other", "parked", "outbox"):
        for row in getattr(h, table):
            texts = " ".join(v for v in row.values() if isinstance(v, str))
            if row.get("job_id") and holds(row["job_id"], texts):
                yield f"a row of {table} holds the code of job {row['job_id']}"
    for name, lines in h.logs.items():
        for line in lines:
            found = JOB_OF_LINE.search(line)
            # Milliseconds and offsets have six digits, too.
            if found and holds(found[1], re.sub(r"\b(ms|offset|pid)=\d+", "", line)):
                yield f"{name} holds the code of job {found[1]}"
            if any(words in line for words in NEVER_LOGGED):
                yield f"{name} says: {line.strip()[:300]}"


CHECKS = (check_accounts, check_records, check_ledger, check_lateness, check_attempts, check_limits,
          check_states, check_events, check_dead_letters, check_rest, check_secrecy)


def judge(history):
    """Every breach, as a sentence that begins with the check's name."""
    return [f"{check.__name__[6:]}: {breach}" for check in CHECKS for breach in check(history)]


if __name__ == "__main__":
    breaches = judge(read_history(sys.argv[1]))
    print("\n".join(breaches[:100]))
    print(f"{len(breaches)} breaches")
    sys.exit(1 if breaches else 0)

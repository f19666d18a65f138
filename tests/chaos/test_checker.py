"""The checker itself: a good history is accepted, and each of many bad ones is refused, by the check
that it is for. No server is needed."""

import copy
import json
import unittest

from checker import judge
from history import History

PHONE, MASKED = "+8613800138000", "+86138****8000"
CODE, SERIAL = "271828", "2640:000000000000000000000000001"
NOON = 1_795_521_600  # 2026-11-24T12:00:00Z


def record(offset, intent, value, partition=0):
    text = value if isinstance(value, str) or value is None else json.dumps(value)
    return {"partition": partition, "offset": offset, "key": PHONE, "value": text,
            "headers": [["chaos-intent", intent]]}


def job(name):
    return {"v": 1, "job_id": name, "phone": PHONE, "scene": "login",
            "requested_at": "2026-11-24T12:00:00.000000Z"}


def delivery(name, offset, **fields):
    return {"job_id": name, "phone": PHONE, "scene": "login", "state": "sent", "seq": 2,
            "attempts": 1, "serial_no": SERIAL, "duplicate_send": False, "partition": 0,
            "incarnation": 1, "offset": offset, "requested_at": NOON, "deadline": NOON + 30,
            "claimed": True, **fields}


def event(name, seq, state, **fields):
    value = {"v": 1, "job_id": name, "seq": seq, "scene": "login", "phone": MASKED, "state": state,
             "at": "2026-11-24T12:00:01.271828Z", **fields}
    return {"partition": 0, "offset": 0, "key": name, "value": json.dumps(value), "headers": []}


def attempt(name, number, outcome, **fields):
    return {"job_id": name, "attempt": number, "outcome": outcome, **fields}


def sms(name, serial=SERIAL, **fields):
    return {"phone": PHONE, "text": "", "params": [CODE, "5"], "session_context": name,
            "serial_no": serial, "at": "2026-11-24T12:00:01.5Z", **fields}


def letter(offset, value, **fields):
    return {"partition": 0, "offset": 0, "key": PHONE, "value": value, "headers": [
        ["chaos-intent", "invalid"], ["sendcode-error", "the value is not JSON"],
        ["sendcode-topic", "jobs"], ["sendcode-partition", "0"],
        ["sendcode-offset", str(offset)]], **fields}


def good():
    """A sent job, its duplicate, an invalid record, a job that stayed unknown, and one that was
    sent at its second attempt."""
    return History(
        jobs=[record(0, "job", job("a")), record(1, "again", job("a")), record(2, "invalid", "{"),
              record(3, "job", job("b")), record(4, "job", job("c"))],
        delivery=[delivery("a", 0),
                  delivery("b", 3, state="unknown", seq=3, reason="deadline", serial_no=None),
                  delivery("c", 4, seq=4, attempts=2, serial_no="2640:2")],
        record_other=[{"partition": 0, "incarnation": 1, "offset": 1, "what": "duplicate",
                       "job_id": "a"},
                      {"partition": 0, "incarnation": 1, "offset": 2, "what": "invalid",
                       "reason": "not_json"}],
        attempt=[attempt("a", 1, "accepted", serial_no=SERIAL), attempt("b", 1, "in_doubt"),
                 attempt("c", 1, "not_sent"), attempt("c", 2, "accepted", serial_no="2640:2")],
        challenge=[{"phone": PHONE, "scene": "login", "day_jobs": 3}],
        accounting=[{"partition": 0, "records": 5, "jobs": 3, "duplicates": 1, "invalid": 1,
                     "gaps": 0, "next_offset": 5}],
        parked=[{"job_id": "b", "kind": "unknown"}],
        events=[event("a", 2, "sent", serial_no=SERIAL), event("a", 2, "sent", serial_no=SERIAL),
                event("b", 2, "in_doubt"), event("b", 3, "unknown", reason="deadline"),
                event("c", 4, "sent", serial_no="2640:2"), event("c", 2, "retry")],
        dead=[letter(2, "{")],
        ledger=[sms("a"), sms("c", "2640:2")],
        ends={0: (0, 5)}, committed={0: 5},
        logs={"worker1.log": ['ts=2026-11-24T12:00:01.271828Z level=info msg=job job_id=a'
                              ' state=sent ms=271828']})


# --- what each bad history has done to the good one: (the check that must refuse it, how) ---

def row(history, table, **which):
    return next(r for r in getattr(history, table)
                if all(r.get(k) == v for k, v in which.items()))


def change(table, which, **fields):
    return lambda h: row(h, table, **which).update(fields)


def drop(table, **which):
    return lambda h: getattr(h, table).remove(row(h, table, **which))


def add(table, *rows):
    return lambda h: getattr(h, table).extend(copy.deepcopy(rows))


def all_of(*changes):
    return lambda h: [c(h) for c in changes]


def say_of(name, number, **fields):
    """Changes the job's event of that seq."""
    def edit(h):
        for r in h.events:
            value = json.loads(r["value"])
            if (value["job_id"], value["seq"]) == (name, number):
                value.update(fields)
                r["value"] = json.dumps(value)
    return edit


A, B, C = {"job_id": "a"}, {"job_id": "b"}, {"job_id": "c"}
BAD = {
    "a record without outcome": ("accounts", drop("delivery", **B)),
    "a record with two outcomes": ("accounts", add("record_other", {
        "partition": 0, "offset": 0, "what": "duplicate", "job_id": "a"})),
    "an outcome without record": ("accounts", add("record_other", {
        "partition": 0, "offset": 9, "what": "invalid"})),
    "a partition that nobody met": ("accounts", lambda h: h.jobs.append(
        record(0, "job", job("d"), partition=1))),
    "offsets not committed": ("accounts", lambda h: h.committed.update({0: 4})),
    "offsets committed beyond the end": ("accounts", lambda h: h.committed.update({0: 6})),
    "a wrong next_offset": ("accounts", change("accounting", {}, next_offset=4)),
    "wrong counts": ("accounts", change("accounting", {}, invalid=2)),
    "a gap where the log has none": ("accounts", change("accounting", {}, gaps=1)),
    "no accounting": ("accounts", drop("accounting")),
    "a job taken for invalid": ("records", all_of(drop("delivery", **B), add("record_other", {
        "partition": 0, "offset": 3, "what": "invalid", "reason": "phone"}))),
    "an invalid record taken for a job": ("records", all_of(
        drop("record_other", what="invalid"), add("delivery", delivery("d", 2)))),
    "two jobs of one job_id": ("records", all_of(
        drop("record_other", what="duplicate"), add("delivery", delivery("a", 1)))),
    "a job stored with another phone": ("records", change("delivery", A, phone="+8613800138001")),
    "a duplicate of another job": ("records", change(
        "record_other", {"what": "duplicate"}, job_id="b")),
    "sent twice": ("ledger", add("ledger", sms("a", "2640:3"))),
    "sent twice, while unknown": ("ledger", add("ledger", sms("b", "2640:3"), sms("b", "2640:4"))),
    "accepted, and unknown to the database": ("ledger", add("ledger", sms("z", "2640:3"))),
    "accepted, and expired": ("ledger", all_of(
        change("delivery", B, state="expired"), add("ledger", sms("b", "2640:3")))),
    "sent, and not accepted": ("ledger", drop("ledger", session_context="a")),
    "another SerialNo": ("ledger", change("delivery", A, serial_no="2640:9")),
    "sent to another phone": ("ledger", change("ledger", {}, phone="+8613800138001")),
    "noted as sent twice": ("ledger", change("delivery", A, duplicate_send=True)),
    "sent long after the deadline": ("lateness", change(
        "ledger", {}, at="2026-11-24T12:00:38.0Z")),
    "an attempt of no job": ("attempts", add("attempt", attempt("z", 1, "not_sent"))),
    "an attempt too many": ("attempts", add("attempt", attempt("a", 2, "not_sent"))),
    "an attempt forgotten": ("attempts", drop("attempt", outcome="not_sent")),
    "an accepted attempt that nobody accepted": ("attempts", change(
        "attempt", {"outcome": "accepted"}, serial_no="2640:9")),
    "an attempt accepted for another job": ("attempts", change(
        "attempt", C, outcome="accepted", serial_no=SERIAL)),
    "unknown without doubt": ("attempts", change("attempt", B, outcome="not_sent")),
    "sent without an accepted attempt": ("attempts", change(
        "attempt", {"outcome": "accepted"}, outcome="in_doubt")),
    "charged twice": ("limits", change("challenge", {}, day_jobs=4)),
    "not charged": ("limits", change("challenge", {}, day_jobs=2)),
    "charged for no job": ("limits", add("challenge", {
        "phone": "+8613800138001", "scene": "login", "day_jobs": 1})),
    "never charged at all": ("limits", drop("challenge")),
    "charged though superseded": ("limits", change("delivery", B, state="superseded")),
    "still claimed": ("states", change("delivery", B, state="claimed")),
    "still in doubt": ("states", change("delivery", B, state="in_doubt")),
    "still to be tried again": ("states", change("delivery", B, state="retry")),
    "a state after moves that do not lead there": ("states", change("delivery", A, seq=1)),
    "a final state that moved on": ("events", all_of(
        change("delivery", B, state="expired", seq=4), add("events", event(
            "b", 4, "expired", reason="deadline")))),
    "never announced": ("events", lambda h: h.events.pop(-2) and h.events.pop(-1)),
    "the last state not announced": ("events", lambda h: h.events.pop(3)),
    "announced with another state last": ("events", say_of("a", 2, state="limited")),
    "two states with one seq": ("events", add("events", event("c", 4, "retry"))),
    "an illegal move": ("events", say_of("c", 2, state="limited")),
    "more announced than happened": ("events", add("events", event("a", 5, "delivered"))),
    "an event without its SerialNo": ("events", say_of("a", 2, serial_no="")),
    "an event with another reason": ("events", say_of("b", 3, reason="number")),
    "an event of no job": ("events", add("events", event("z", 1, "limited"))),
    "an event under another key": ("events", lambda h: h.events[0].update(key="b")),
    "a whole phone number in an event": ("events", say_of("a", 2, phone=PHONE)),
    "an invalid record without dead letter": ("dead_letters", lambda h: h.dead.clear()),
    "a dead letter of a job": ("dead_letters", add("dead", letter(0, "{"))),
    "a dead letter changed": ("dead_letters", lambda h: h.dead[0].update(value="{}")),
    "a dead letter with another key": ("dead_letters", lambda h: h.dead[0].update(key=None)),
    "a dead letter without its headers": ("dead_letters", lambda h: h.dead[0]["headers"].pop(0)),
    "a dead letter that omits for no reason": ("dead_letters", lambda h: (
        h.dead[0]["headers"].append(["sendcode-omitted", "code"]), h.dead[0].update(value=None))),
    "an outbox with work": ("rest", add("outbox", {"id": 1, "job_id": "a"})),
    "parked though final": ("rest", add("parked", {"job_id": "a", "kind": "in_doubt"})),
    "a code in an event": ("secrecy", say_of("a", 2, reason=CODE)),
    "a code in a row": ("secrecy", change("delivery", A, locale=f"code {CODE}")),
    "a code in an attempt": ("secrecy", change("attempt", A, provider_code=CODE)),
    "a code in a log": ("secrecy", lambda h: h.logs["worker1.log"].append(
        f"level=info msg=job job_id=a code={CODE}")),
    "a panic": ("secrecy", lambda h: h.logs["worker1.log"].append("panic at x.c:1")),
}


class Checker(unittest.TestCase):
    def test_good_history_is_accepted(self):
        self.assertEqual(judge(good()), [])

    def test_each_bad_history_is_refused_by_its_check(self):
        for name, (check, spoil) in BAD.items():
            with self.subTest(name):
                history = good()
                spoil(history)
                self.assertIn(check, [breach.split(":")[0] for breach in judge(history)])

    def test_a_doubt_of_which_a_fenced_worker_says_later_that_nothing_was_sent_was_one(self):
        history = good()
        row(history, "attempt", job_id="b").update(outcome="not_sent", moved=False)
        self.assertEqual(judge(history), [])
        row(history, "attempt", job_id="b").update(moved=True)
        self.assertEqual({breach.split(":")[0] for breach in judge(history)}, {"attempts"})

    def test_claimed_again_at_once_a_job_passes_over_a_retry(self):
        history = good()
        first = attempt("b", 1, "not_sent", moved=False)
        row(history, "attempt", job_id="b").update(attempt=2)
        history.attempt.append(first)
        row(history, "delivery", job_id="b").update(seq=4, attempts=2)
        say_of("b", 3, seq=4)(history)
        say_of("b", 2, seq=3)(history)
        self.assertEqual(judge(history), [])
        first.update(moved=True)
        self.assertEqual({breach.split(":")[0] for breach in judge(history)}, {"states", "events"})

    def test_a_job_superseded_before_its_claim_costs_nothing(self):
        history = good()
        row(history, "delivery", job_id="b").update(state="superseded", claimed=False)
        row(history, "challenge").update(day_jobs=2)
        self.assertNotIn("limits", [breach.split(":")[0] for breach in judge(history)])


if __name__ == "__main__":
    unittest.main()

"""Workers, settlers, joiners of receipts, a verifier and a sweeper against a provider whose records
lag, with crashes everywhere: no job is accepted twice, what was accepted is never called unsent,
and a receipt moves the job whose message it is about."""
import collections
import datetime
import queue
import random
import threading
import time
import unittest

from provider import LIFE, Provider
from receiving import STORE, receipt
from support import DatabaseTest, TOPIC, Worker, connect, now

SECONDS = 6
PARTITIONS = 4
PHONES = 150
GRACE_MS = 300
LEASE_MS = 300
ACCEPTED = ("sent", "delivered", "undelivered")


class Soak(DatabaseTest):
    def setUp(self):
        super().setUp()
        # One clock, and seconds instead of minutes.
        self.sql("create or replace function sendcode.clock_slack() returns interval"
                 " language sql immutable as $$ select interval '100 milliseconds' $$")
        self.provider, self.faults = Provider(1), []
        self.lock = threading.Lock()
        self.rows, self.open = {}, {p: {} for p in range(PARTITIONS)}
        self.produced = [0] * PARTITIONS
        self.writing = True
        self.codes, self.late_facts = queue.Queue(), queue.Queue()
        self.hows = collections.Counter()
        self.announced = {}  # by job: seq and state

    def test_no_job_is_accepted_twice_and_none_that_was_is_called_unsent(self):
        loops = [self.work, self.work, self.settle, self.settle, self.sweep, self.guess,
                 self.receive, self.join, self.join]
        running = [threading.Thread(target=self.guard, args=(f, n)) for n, f in enumerate(loops)]
        for thread in running:
            thread.start()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not self.faults:
            self.provider.run()
            time.sleep(0.002)
        self.writing = False
        while any(t.is_alive() for t in running):
            self.provider.run()
            time.sleep(0.002)
        self.assertEqual(self.faults, [])
        self.check()

    def guard(self, loop, number):
        try:
            loop(number)
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(repr(fault))

    def at_rest(self):
        """Nothing under way, nothing open, nothing parked but what is unknown and was asked."""
        with self.lock:
            if (self.writing or any(self.open.values()) or self.provider.under_way
                    or self.provider.receipts):
                return bool(self.faults)
        return bool(self.faults) or not self.sql(
            "select 1 from sendcode.parked where kind <> 'unknown' or asks < 1 limit 1")

    def worker_of(self, number, partitions=()):
        worker = Worker(self.dbname, f"w{number}", list(partitions))
        worker.takeover_ms, worker.not_after_ms = round(LIFE * 1000) + 50, round(LIFE * 1000)
        self.addCleanup(worker.connection.close)
        return worker

    def produce(self, worker, rng):
        with self.lock:
            partition = rng.randrange(PARTITIONS)
            at, offset = now(), self.produced[partition]
            self.produced[partition] += 1
            row = worker.job(
                phone=f"+86139{rng.randrange(PHONES):08d}", partition=partition, offset=offset,
                scene=rng.choice(("login", "register")), requested_at=at, max_tries=1000,
                deadline=at + datetime.timedelta(seconds=rng.choice((1, 2, 4))))
            self.rows[row["job_id"]] = self.open[partition][offset] = row

    def work(self, number):
        rng, worker, mine = random.Random(number), self.worker_of(number), set()
        while not self.at_rest():
            if not mine or rng.random() < 0.03:
                mine |= {r.part for r in worker.take(range(PARTITIONS))}
            for _ in range(rng.randrange(6) if self.writing else 0):
                self.produce(worker, rng)
            with self.lock:
                rows = [dict(r) for p in mine for r in self.open[p].values()]
            rows = rng.sample(rows, min(len(rows), 32))
            for row in rows:
                row["epoch"] = worker.epochs[row["partition"]]
            done = self.claim(worker, rng, rows) if rows else {}
            mine -= {r["partition"] for r in rows if done.get(r["job_id"]) == "fenced"}
            with self.lock:
                for row in rows:
                    if done.get(row["job_id"]) == "done":
                        self.open[row["partition"]].pop(row["offset"], None)
            while not self.late_facts.empty():
                worker.record(self.late_facts.get())
            time.sleep(0.005)

    def claim(self, worker, rng, rows):
        """Claims, sends and records; by job what became of its record."""
        began, became, results = time.time(), {}, []
        for row, answer in zip(rows, worker.claim(*rows)):
            became[row["job_id"]] = {"decided": "done", "known": "done",
                                     "fenced": "fenced"}.get(answer.verdict)
            if answer.verdict == "send":
                self.codes.put((row["phone"], row["scene"], bytes(answer.nonce)))
                result = self.send(worker, rng, row, answer, began + LIFE)
                if result is not None:
                    results.append(result)
        for result, answer in zip(results, worker.record(*results) if results else ()):
            if answer.applied and answer.state != "retry":
                became[result["job_id"]] = "done"
        return became

    def send(self, worker, rng, row, answer, not_after):
        """A result to record, or None of a worker that died after the claim."""
        phone, job_id = row["phone"], row["job_id"]
        what = rng.choices(("answered", "lost", "died", "fact", "unsent"), (45, 25, 12, 8, 10))[0]
        if what == "answered":
            heard = self.provider.arrive(phone, job_id, not_after)
            if heard in ("refused", "stale"):
                state = "rejected" if heard == "refused" else "retry"
                return worker.result(row, answer, state, provider_code="X.Y")
            return worker.result(row, answer, "sent", serial_no=heard)
        if what == "unsent":
            return worker.result(row, answer, "retry")
        done = None
        if what == "fact":
            def done(serial):
                self.late_facts.put(worker.result(row, answer, "sent", serial_no=serial))
        if rng.random() < 0.6:  # else it is lost on its way
            self.provider.send_later(rng.choice((0, 0.05, 0.15, 0.19, 0.4)), phone, job_id,
                                     not_after, done)
        return worker.result(row, answer, "in_doubt", http_status=0) if what == "lost" else None

    def settle(self, number):
        rng, worker = random.Random(number), self.worker_of(number)
        while not self.at_rest():
            if rng.random() < 0.5:  # at any moment, whatever its back-off
                worker.cursor.execute("update sendcode.parked set ask_at = now() where ctid = any"
                                      " (array(select ctid from sendcode.parked where kind ="
                                      " 'in_doubt' for update skip locked))")
            asked = time.time()
            worker.cursor.execute(
                "select * from sendcode.take_parked('s', %s, %s, %s, %s, 1000, %s)",
                (TOPIC, rng.randrange(6), rng.randrange(6), LEASE_MS, GRACE_MS))
            for taken in worker.cursor.fetchall():
                if rng.random() < 0.1:
                    continue  # the settler dies: its lease lapses
                if taken.kind == "doubt":
                    self.ask(worker, rng, taken, asked)
                else:
                    self.retry(worker, rng, taken)
            time.sleep(0.01)

    def ask(self, worker, rng, taken, asked):
        told = self.provider.tell(taken.phone, asked - taken.claimed_ago_ms / 1000 - 0.2)
        whole = rng.random() < 0.9
        if not whole:
            told = told[:rng.randrange(len(told) + 1)]
        told += rng.sample(told, 1) if told and rng.random() < 0.1 else []
        if rng.random() < 0.1:
            time.sleep(rng.random() * 0.5)
        columns = [[r[i] for r in told] for i in range(6)]
        columns[1] = [round((at - asked) * 1000) for at in columns[1]]
        for _ in range(1 + (rng.random() < 0.1)):  # an answer that is lost is asked for again
            worker.cursor.execute(
                "select * from sendcode.settle('s', %s, %s, %s, %s, %s, true, %s, null, %s::text[],"
                " %s::bigint[], %s::bool[], %s::text[], %s::text[], %s::text[])",
                (taken.job_id, taken.day, taken.lease, taken.attempt, GRACE_MS, whole, *columns))
            self.hows[worker.cursor.fetchone().how] += 1

    def retry(self, worker, rng, taken):
        row = dict(self.rows[taken.job_id], epoch=taken.epoch)
        self.hows["retry"] += 1
        self.claim(worker, rng, [row])
        if rng.random() < 0.9:
            worker.cursor.execute(
                "select sendcode.release_parked(%s, %s::date[], %s::bigint[], %s::bigint[])",
                ([taken.job_id], [taken.day], [taken.lease], [rng.randrange(100)]))

    def sweep(self, _):
        connection = connect(self.dbname)
        with connection.cursor() as cursor:
            while not self.at_rest():
                cursor.execute("select * from sendcode.sweep()")
                self.announce(cursor)
                time.sleep(0.02)
        connection.close()

    def announce(self, cursor):
        cursor.execute("select * from sendcode.outbox_take(100)")
        events = cursor.fetchall()
        for event in events:
            self.announced[event.job_id] = max(self.announced.get(event.job_id, (0, "")),
                                               (event.seq, event.state))
        cursor.execute("select sendcode.outbox_done(%s::bigint[])", ([e.id for e in events],))
        return events

    def receive(self, number):
        """Callbacks, with receipts of messages that are none of ours."""
        rng = random.Random(number)
        connection = connect(self.dbname)
        with connection.cursor() as cursor:
            while not self.at_rest():
                came = [receipt(serial, phone, status, at=datetime.datetime.fromtimestamp(
                    at, datetime.timezone.utc)) for serial, phone, status, at
                    in self.provider.due_receipts()]
                if rng.random() < 0.2:
                    came.append(receipt("foreign", f"+86137{rng.randrange(100):08d}"))
                if came:
                    cursor.execute(STORE, [list(column) for column in zip(*came)])
                time.sleep(0.02)
        connection.close()

    def join(self, number):
        rng = random.Random(number)
        connection = connect(self.dbname)
        connection.set_session(autocommit=False)
        with connection.cursor() as cursor:
            while not self.at_rest():
                if rng.random() < 0.3:  # at any moment, whatever its back-off
                    cursor.execute("update sendcode.receipt set ask_at = now() where id in"
                                   " (select id from sendcode.receipt where ask_at is not null"
                                   " for update skip locked)")
                cursor.execute("select * from sendcode.join_receipts(%s)", (rng.randrange(30),))
                if rng.random() < 0.1:  # the worker dies
                    connection.rollback()
                connection.commit()
                time.sleep(0.01)
        connection.close()

    def guess(self, number):
        rng = random.Random(number)
        while self.writing and not self.faults:
            try:
                phone, scene, nonce = self.codes.get(timeout=0.1)
            except queue.Empty:
                continue
            if rng.random() < 0.2:
                self.verify(nonce, scene, phone)

    def check(self):
        accepted = self.provider.accepted
        self.assertEqual([j for j, n in accepted.items() if n > 1], [])
        states = {r.job_id: r.state for r in self.sql(
            "select job_id, state::text as state from sendcode.delivery")}
        self.assertEqual(set(states), set(self.rows))
        self.assertEqual(set(states.values()) & {"claimed", "retry", "in_doubt"}, set())
        self.assertEqual([j for j, s in states.items() if s in ACCEPTED and not accepted[j]], [])
        self.assertEqual([j for j in accepted if states[j] not in (*ACCEPTED, "unknown")], [])
        self.assertEqual(self.sql("select 1 from sendcode.delivery where duplicate_send"), [])
        # Evidence of an accepted job that is unknown still is doubt.
        outcomes = collections.defaultdict(set)
        for r in self.sql("select job_id, outcome from sendcode.attempts"):
            outcomes[r.job_id].add(r.outcome)
        self.assertEqual([j for j in accepted if not outcomes[j] & {"accepted", "in_doubt"}], [])
        serials = {r.serial_no: r.job_id for r in self.sql(
            "select serial_no, job_id from sendcode.delivery where state = any (%s::"
            "sendcode.job_state[])", list(ACCEPTED))}
        self.assertEqual({s: j for s, j in serials.items() if self.provider.serials[s] != j}, {})
        self.check_receipts(states)
        for how in ("sent", "unsent", "open", "retry"):
            self.assertGreater(self.hows[how], 0, how)
        print(f"{len(states)} jobs: {dict(collections.Counter(states.values()))};"
              f" {dict(self.hows)}")

    def check_receipts(self, states):
        for _ in range(3):
            self.sql("update sendcode.receipt set ask_at = now() where ask_at is not null")
            self.sql("select * from sendcode.join_receipts(100000)")
        with self.admin.cursor() as cursor:
            while self.announce(cursor):
                pass
        kept = self.sql("select * from sendcode.receipt order by id")
        self.assertEqual([r for r in kept if r.job_id and r.job_id
                          != self.provider.serials[r.serial_no]], [])
        joined = {r.job_id: r.status for r in kept if r.match == "joined"}
        self.assertEqual(len(joined), len([r for r in kept if r.match == "joined"]))
        ended = {r.job_id: r for r in self.sql(
            "select job_id, seq, state::text as state from sendcode.delivery"
            " where state in ('delivered', 'undelivered')")}
        self.assertEqual({j: r.state == "delivered" for j, r in ended.items()},
                         {j: status == "SUCCESS" for j, status in joined.items()})
        self.assertEqual({j: (r.seq, r.state) for j, r in ended.items()},
                         {j: self.announced.get(j) for j in ended})
        # What is left waits for jobs that nobody can tell apart.
        left = [self.provider.serials[r.serial_no] for r in kept
                if r.match in (None, "orphan") and r.serial_no != "foreign"]
        self.assertEqual([j for j in left if states[j] != "unknown"], [])
        self.assertGreater(len(joined), 0)
        self.assertNotEqual(self.sql("select 1 from sendcode.attempt where settlement @>"
                                     """ '[{"action": "receipt"}]' limit 1"""), [])
        print(f"{len(kept)} receipts: {dict(collections.Counter(r.match for r in kept))}")


if __name__ == "__main__":
    unittest.main()

"""Three workers, a verifier and a sweeper on a hundred shared phones: no deadlock, nothing twice."""
import collections
import datetime
import random
import threading
import time
import unittest

from support import DatabaseTest, Worker, connect, now

SECONDS = 10
PARTITIONS = 6


class Log:
    """The topic: records that are not done yet, by partition, and what the provider accepted."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = {p: {} for p in range(PARTITIONS)}
        self.produced = [0] * PARTITIONS
        self.accepted = collections.Counter()
        self.proofs = collections.defaultdict(list)
        self.verified = []
        self.writing = True

    def produce(self, worker, rng):
        partition = rng.randrange(PARTITIONS)
        with self.lock:
            offset = self.produced[partition]
            self.produced[partition] += 1
            at = now() - datetime.timedelta(seconds=rng.choice((0, 0, 0, 1, 2)))
            self.open[partition][offset] = worker.job(
                phone=f"+86139{rng.randrange(100):08d}", partition=partition, offset=offset,
                scene=rng.choice(("login", "register")), requested_at=at,
                deadline=at + datetime.timedelta(seconds=rng.choice((3, 5, 8))),
                resend_same=rng.random() < 0.5, cooldown=rng.choice((0, 0, 1)), max_tries=1000)


class Soak(DatabaseTest):
    def test_nothing_deadlocks_and_every_record_has_one_outcome(self):
        log, self.faults = Log(), []
        running = [threading.Thread(target=self.guard, args=(f, log, n))
                   for n, f in enumerate((self.work, self.work, self.work, self.guess, self.sweep))]
        for thread in running:
            thread.start()
        time.sleep(SECONDS)
        log.writing = False
        for thread in running:
            thread.join()
        self.assertEqual(self.faults, [])
        self.check_the_end(log)

    def guard(self, loop, log, number):
        try:
            loop(log, number)
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(repr(fault))
            log.writing = False

    def work(self, log, number):
        rng = random.Random(number)
        worker = Worker(self.dbname, f"w{number}", [])
        worker.takeover_ms, worker.not_after_ms = 300, 200
        mine = set()
        while not self.faults and (log.writing or any(log.open.values())):
            if not mine or rng.random() < 0.02:
                wanted = rng.sample(range(PARTITIONS), 2) if log.writing else range(PARTITIONS)
                mine |= {r.part for r in worker.take(list(wanted))}
            for _ in range(rng.randrange(20) if log.writing else 0):
                log.produce(worker, rng)
            with log.lock:
                rows = [dict(r) for p in mine for r in log.open[p].values()]
            rows = rng.sample(rows, min(len(rows), 64))
            for row in rows:
                row["epoch"] = worker.epochs[row["partition"]]
            if rows:
                self.claim_and_record(log, worker, rng, mine, rows)
        worker.connection.close()

    def claim_and_record(self, log, worker, rng, mine, rows):
        results, done = [], []
        for row, answer in zip(rows, worker.claim(*rows)):
            if answer.verdict == "send":
                result = self.send(log, worker, rng, row, answer)
                if result is None:
                    continue  # a crash: a new owner, or the same with a new epoch, finds the claim
                results.append(result)
                if result["state"] != "retry":
                    done.append(row)
            elif answer.verdict in ("decided", "known", "duplicate"):
                done.append(row)
            elif answer.verdict == "fenced":
                mine.discard(row["partition"])
        fenced = set()
        if results:
            fenced = {r["job_id"] for r, a in zip(results, worker.record(*results))
                      if not a.applied}
        with log.lock:
            for row in done:
                if row["job_id"] not in fenced:
                    log.open[row["partition"]].pop(row["offset"], None)

    def send(self, log, worker, rng, row, answer):
        state = rng.choices(("sent", "retry", "rejected", "in_doubt", "crash"),
                            (70, 12, 8, 7, 3))[0]
        accepted = state == "sent" or state in ("in_doubt", "crash") and rng.random() < 0.5
        with log.lock:
            if accepted:
                log.accepted[row["job_id"]] += 1
                log.proofs[row["phone"], row["scene"]].append(bytes(answer.nonce))
        if state == "crash":
            worker.take([row["partition"]])
            return None
        return worker.result(row, answer, state)

    def guess(self, log, number):
        rng = random.Random(number)
        while not self.faults and log.writing:
            with log.lock:
                codes = [(k, v[-1]) for k, v in log.proofs.items()]
            if not codes:
                continue
            (phone, scene), nonce = rng.choice(codes)
            if self.verify(nonce, scene, phone).verdict == "ok":
                log.verified.append((phone, scene, nonce))

    def sweep(self, log, number):
        connection = connect(self.dbname)
        with connection.cursor() as cursor:
            while not self.faults and (log.writing or any(log.open.values())):
                cursor.execute("select sendcode.sweep()")
                cursor.execute("select phone, array_agg(job_id) from sendcode.delivery"
                               " where state in ('claimed', 'in_doubt') group by phone"
                               " having count(*) > 1")
                self.assertEqual(cursor.fetchall(), [])
                time.sleep(0.01)
        connection.close()

    def check_the_end(self, log):
        self.assertGreater(sum(log.produced), 500)
        self.assertEqual(max(log.accepted.values()), 1)
        self.assertEqual(len(log.verified), len(set(log.verified)))
        self.assertGreater(len(log.verified), 10)
        accounts = {a.partition: a for a in self.sql("select * from sendcode.accounting")}
        for partition, produced in enumerate(log.produced):
            self.assertEqual((accounts[partition].jobs, accounts[partition].next_offset),
                             (produced, produced))
        states = dict(tuple(r) for r in self.sql(
            "select state::text, count(*) from sendcode.delivery group by 1"))
        self.assertEqual(sum(states.values()), sum(log.produced))
        self.assertEqual({"claimed", "retry"} & set(states), set(), states)
        self.assertLessEqual({"sent", "rejected", "superseded", "limited", "unknown"}, set(states))
        # An attempt for each acceptance that was recorded; nothing sent that was not accepted.
        sent = [r.job_id for r in self.sql("select job_id from sendcode.delivery"
                                           " where state = 'sent'")]
        self.assertEqual([j for j in sent if log.accepted[j] != 1], [])
        print(f"{sum(log.produced)} jobs: {states}; {len(log.verified)} verified")


if __name__ == "__main__":
    unittest.main()

"""A storm of callbacks, early, twice, contradictory and foreign, while a worker is killed."""

import collections
import pathlib
import random
import signal
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "receiver"))

from receiver_rig import PATH, ReceiverTest, json, wait_for
from rig import Rig

JOBS = 300
ORPHANS = 40
CODES = {"SUCCESS": ["DELIVRD"], "FAIL": ["MK:0012", "UNDELIV", "TD:18"]}
SETTLED = ("sent", "delivered", "undelivered", "rejected", "limited", "superseded", "expired",
           "unknown")


class Storm(ReceiverTest):
    tencent = {"timeout": "2", "signature_life": "5", "doubt_grace": "2", "probe_interval": "1"}
    worker = {"in_flight": "32"}
    scenes = {"register": {"send_within": "300"}}
    start_sandbox, config, ctl = Rig.start_sandbox, Rig.config, Rig.ctl

    def setUp(self):
        super().setUp()
        self.random = random.Random(20261124)
        self.said = {}  # SerialNo: status and code of its first receipt
        self.posted = collections.Counter()  # (SerialNo, status, code): how often
        self.url = f"http://127.0.0.1:{self.start_receiver().port}{PATH}"

    def order(self, serials, status, code, **more):
        """Posts receipts of these messages and waits until all callbacks were answered."""
        times = more.setdefault("times", 1)
        answer, text = self.http(self.addresses["control"] + "/receipts",
                                 {"url": self.url, "serial_nos": serials, "status": status,
                                  "code": code, **more})
        told = json.loads(text)
        self.assertEqual((answer, told.get("refused")), (200, 0), text)
        for serial in serials:
            self.posted[serial, status, code] += times

    def some_verdict(self):
        status = self.random.choice(["SUCCESS", "SUCCESS", "FAIL"])
        return status, self.random.choice(CODES[status])

    def report_new(self):
        """Each message that has no receipt yet gets its first, some of them at once a second time.
        A message is here before its worker has heard that it was accepted."""
        _, text = self.http(self.addresses["control"] + "/messages")
        groups = collections.defaultdict(list)
        for message in json.loads(text):
            if message["serial_no"] not in self.said:
                self.said[message["serial_no"]] = self.some_verdict()
                groups[self.said[message["serial_no"]]].append(message["serial_no"])
        for (status, code), serials in groups.items():
            self.order(serials, status, code, times=self.random.choice([1, 1, 2]),
                       batch=self.random.choice([1, 7, 100]))
        return bool(groups)

    def send_orphans(self):
        for n in range(ORPHANS):
            self.order([f"orphan:{n}"], *self.some_verdict(), phone=f"+86139{n:08d}")

    def contradict(self):
        """The other verdict for messages whose job has its receipt: the first one stands."""
        for serial, (first, _) in self.random.sample(sorted(self.said.items()), 30):
            status = "FAIL" if first == "SUCCESS" else "SUCCESS"
            self.order([serial], status, CODES[status][0])

    def states(self):
        return dict(self.query("select state, count(*) from sendcode.deliveries group by 1"))

    def all_are_through(self):
        self.report_new()
        states = self.states()
        return sum(states.get(s, 0) for s in SETTLED) == JOBS and not states.get("sent")

    def test_every_receipt_is_stored_and_moves_its_job_once(self):
        self.fault({"action": "SendSms", "every": 3}, {"delay_ms": 700}, times=60)
        self.fault({"action": "SendSms", "every": 7}, {"drop": "after"}, times=15)
        self.fault({"action": "SendSms", "every": 11},
                   {"code": "FailedOperation.PhoneNumberInBlacklist"}, times=8)
        victim = self.start_worker(ready=False)
        self.start_worker()
        jobs = [self.job(phone=f"+86138{n:08d}") for n in range(JOBS)]
        self.publish(*jobs)
        orphans = threading.Thread(target=self.send_orphans)
        orphans.start()
        wait_for("the storm's middle", lambda: self.report_new() and len(self.said) > JOBS / 3)
        victim.end(signal.SIGKILL)
        self.start_worker(ready=False)
        wait_for("all jobs to have their receipts", self.all_are_through, patience=120)
        orphans.join()
        self.contradict()
        # Minutes of looking in vain are over: the next look says orphan.
        self.query("update sendcode.receipt set ask_at = clock_timestamp(), asks = 4"
                   " where match is null and serial_no like 'orphan:%%'")
        wait_for("each receipt to be joined", lambda: self.query(
            "select count(*) from sendcode.receipt where match is null") == [(0,)])
        self.check_storm()
        self.check_receipts()
        self.check_deliveries(jobs)
        self.check_events()
        self.assert_accounts_whole()

    def check_storm(self):
        """What it is meant to hold together has happened."""
        (early, settled), = self.query(
            "select count(*) filter (where r.received_at < a.recorded_at),"
            " count(*) filter (where a.settlement is not null)"
            " from sendcode.receipt r join sendcode.attempt a using (job_id, serial_no)")
        self.assertGreater(early, 0, "receipts that came before what they are about was recorded")
        self.assertGreater(settled, 0, "receipts of messages whose answer nobody heard")

    def check_receipts(self):
        stored = collections.Counter(self.query(
            "select serial_no, status, code from sendcode.receipts where fault is null"))
        self.assertEqual(stored, self.posted)
        matches = collections.Counter(self.query(
            "select serial_no, match from sendcode.receipts"))
        per_serial = collections.Counter()
        for (serial, _, _), n in self.posted.items():
            per_serial[serial] += n
        for serial, n in per_serial.items():
            if serial.startswith("orphan:"):
                self.assertEqual(matches[serial, "orphan"], n, serial)
            else:
                self.assertEqual((matches[serial, "joined"], matches[serial, "repeat"]),
                                 (1, n - 1), serial)

    def check_deliveries(self, jobs):
        """Against what the sandbox accepted, and what it said of it first."""
        ledger = {m["session_context"]: m for m in self.ledger()}
        self.assertEqual(len(ledger), len(self.ledger()), "no job has two messages")
        self.assertEqual({m["serial_no"] for m in ledger.values()}, set(self.said))
        expected = {}
        for job in jobs:
            message = ledger.get(job["job_id"])
            status, code = self.said[message["serial_no"]] if message else (None, None)
            expected[job["job_id"]] = (
                {"SUCCESS": "delivered", "FAIL": "undelivered", None: "rejected"}[status],
                message and message["serial_no"], code, message is not None)
        rows = self.query("select job_id, state, serial_no, receipt_code, receipt_at is not null"
                          " from sendcode.deliveries")
        self.assertEqual({r[0]: r[1:] for r in rows}, expected)
        accepted = self.query("select job_id, serial_no from sendcode.attempts"
                              " where outcome = 'accepted'")
        self.assertCountEqual(accepted, [(j, m["serial_no"]) for j, m in ledger.items()])
        counts = collections.Counter(e[0] for e in expected.values())
        # A message of one segment each; of some nobody heard the answer, and so the price.
        daily = self.query("select sum(requested), sum(sent), sum(delivered), sum(undelivered),"
                           " sum(rejected), sum(segments) + sum(unpriced) from sendcode.daily")[0]
        self.assertEqual(daily, (JOBS, len(ledger), counts["delivered"], counts["undelivered"],
                                 counts["rejected"], len(ledger)))
        self.assertEqual(self.query("select sum(attempts) from sendcode.provider_codes"
                                    " where outcome = 'accepted'"), [(len(ledger),)])
        self.assertEqual(self.query("select sum(jobs), sum(delivered) from sendcode.latency"),
                         [(len(ledger), counts["delivered"])])

    def check_events(self):
        """The latest state of each job was announced; numbers grow with the states."""
        def latest():
            last = {}
            for event in self.events():
                if event["seq"] >= last.get(event["job_id"], (0, ""))[0]:
                    last[event["job_id"]] = (event["seq"], event["state"])
            return last

        rows = self.query("select job_id, seq, state from sendcode.deliveries")
        stands = {job_id: (seq, state) for job_id, seq, state in rows}
        wait_for("the last events", lambda: latest() == stands)
        self.assertEqual(self.query("select count(*) from sendcode.outbox"), [(0,)])


if __name__ == "__main__":
    unittest.main()

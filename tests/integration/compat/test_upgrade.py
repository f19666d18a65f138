"""A rolling upgrade: workers of the version before and of this one share the work, on a schema that
is migrated under them; what the old ones leave in doubt the new ones settle."""

import subprocess
import threading
import unittest
import uuid

import psycopg2
from psycopg2.extensions import make_dsn

import old
from rig import BUILD, DSN, Rig, wait_for

HOUR = 3600


class Upgrade(Rig):
    partitions = 4

    @classmethod
    def setUpClass(cls):
        cls.old_build = old.build()

    def ctl(self, *args, **how):
        with old.programs_of(self.ctl_build):
            return super().ctl(*args, **how)

    def setUp(self):
        self.ctl_build = self.old_build  # the first migrate
        super().setUp()
        self.ctl_build = BUILD
        self.jobs = []

    def start_old(self):
        with old.programs_of(self.old_build):
            return self.start_worker()

    def send(self, n):
        """Publishes n jobs of n phones, spread over all partitions."""
        jobs = [self.job(phone=f"+86139{len(self.jobs) + i:08d}") for i in range(n)]
        self.jobs += jobs
        self.publish(*jobs)

    def wait_sent(self):
        wait_for("all jobs to be sent", lambda: self.query(
            "select count(*) from sendcode.deliveries where state = 'sent' and job_id = any (%s)",
            [j["job_id"] for j in self.jobs]) == [(len(self.jobs),)])

    def leave_in_doubt(self, phone):
        """A job that the provider accepts while its worker gets no answer."""
        self.fault({"action": "SendSms", "phone": phone}, {"drop": "after"}, times=1)
        job = self.publish(self.job(phone=phone, deadline=old.rig.now(HOUR)))
        self.wait_state(job, "in_doubt")
        self.jobs.append(job)

    def sends_of(self, worker):
        return self.metric(worker, 'sendcode_attempts_total{outcome="accepted"}') or 0

    def migrate_under_load(self):
        loader = threading.Thread(target=lambda: [self.send(5) for _ in range(20)])
        loader.start()
        said = self.ctl("migrate")
        loader.join()
        self.assertIn("applied", said)

    def test_old_and_new_workers_share_the_work_on_the_new_schema(self):
        first = self.start_old()
        self.send(40)
        self.leave_in_doubt("+8613800000001")
        self.migrate_under_load()
        self.leave_in_doubt("+8613800000002")
        self.assertEqual(first.end(), 0)
        before = self.start_old()  # one that begins on the newer schema
        new = self.start_worker()

        def both_send():
            self.send(20)
            return self.sends_of(before) > 0 and self.sends_of(new) > 0

        wait_for("both to send", both_send)
        self.wait_sent()  # those that were in doubt among them
        for job in self.jobs[-20:]:
            code = self.code_of(job["phone"])
            self.assertIn("verdict: ok", self.ctl("verify", job["phone"], "register",
                                                  stdin=code + "\n"))
        self.assertEqual(before.end(), 0)
        self.send(20)
        self.wait_sent()

        sent = sorted(m["session_context"] for m in self.ledger())
        self.assertEqual(sent, sorted(j["job_id"] for j in self.jobs))  # each once
        wait_for("all doubt to be gone", lambda: self.query(
            "select count(*) from sendcode.parked") == [(0,)])
        self.assertEqual(new.end(), 0)
        self.assert_accounts_whole()
        last = {}
        for event in self.events():
            seq, _ = last.get(event["job_id"], (0, None))
            if event["seq"] > seq:
                last[event["job_id"]] = event["seq"], event["state"]
        self.assertEqual({state for _, state in last.values()}, {"sent"})
        self.assertEqual(len(last), len(self.jobs))


class Schema(unittest.TestCase):
    def make(self, *builds):
        """A database migrated by these programs' sendcodectl in turn, as a dump without its data."""
        name = "compat_" + uuid.uuid4().hex[:12]
        server = psycopg2.connect(DSN)
        server.autocommit = True
        self.addCleanup(server.close)
        server.cursor().execute(f"create database {name}")
        self.addCleanup(server.cursor().execute, f"drop database {name} with (force)")
        dsn = make_dsn(DSN, dbname=name)
        for build in builds:
            old.run(build / "sendcodectl", "migrate", "--dsn", dsn)
        dump = subprocess.run(["pg_dump", "-s", "-n", "sendcode", dsn], capture_output=True, text=True,
                              check=True).stdout
        # A word at random, that a dump guards itself with.
        return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]

    def test_upgraded_it_is_as_a_new_one(self):
        self.assertEqual(self.make(old.build(), BUILD), self.make(BUILD))


if __name__ == "__main__":
    unittest.main()

"""A system in which the worker dies at one crash point after another."""

import pathlib
import signal
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "worker"))
from rig import BUILD, Program, Rig, wait_for  # noqa: E402


class Lane(Rig):
    """A fixture in the clothes of a test; test_points.py runs some side by side."""

    tencent = {"timeout": "1", "signature_life": "5", "doubt_grace": "1", "pull_receipts": "on"}
    worker = {"start_budget": "1"}
    # The next one takes the place of the one that died without waiting for its session to end.
    kafka = {"group.instance.id": "the-one"}
    scenes = {"register": {"send_within": "600"}}
    is_up = False

    def runTest(self):
        """Nothing: see above."""

    def setUp(self):
        super().setUp()
        self.jobs = []
        self.invalid = []
        self.duplicates = 0
        self.is_up = True

    def new_job(self, do=None):
        job = self.job(phone=f"+86138{len(self.jobs):08d}")
        if do:
            self.fault({"action": "SendSms", "phone": job["phone"]}, do, times=1)
        self.jobs.append(job)
        return job

    def publish_load(self):
        """One of each kind, so that nearly every point lies on the way of one of them."""
        plain = self.new_job()
        invalid = '{"v":1,"job_id":"number %d"}' % len(self.invalid)
        self.invalid.append(invalid)
        self.duplicates += 1
        self.publish(plain, self.new_job({"code": "ServiceUnavailable"}),
                     self.new_job({"drop": "before"}), self.new_job({"drop": "after"}),
                     invalid, plain)

    def start(self, program, env=None, config=None):
        log = self.dir / f"worker{len(self.programs)}.log"
        started = Program([BUILD / program, "-c", config or self.config_path], log, env)
        self.programs.append(started)
        return started

    def is_ready(self, worker):
        return self.status(worker, "/readyz")[0] == 200

    # --- what the load alone does not reach ---

    def drain(self, worker):
        """Ended while an SMS is under way and no other job keeps its offset back, so that there is
        something to commit at the very end."""
        wait_for("the load to be through", lambda: self.numbers(
            "select count(*) filter (where state not in ('claimed', 'retry'))"
            " from sendcode.deliveries") == (len(self.jobs),))
        slow = self.new_job({"delay_ms": 900})
        self.publish(slow)
        wait_for("the slow SMS", lambda: self.accepted(slow))
        worker.tell(signal.SIGTERM)

    def rebalance(self, worker):
        """Another worker comes: all partitions are revoked."""
        wait_for("the worker to be ready", lambda: self.is_ready(worker))
        sections = self.config()
        del sections["kafka"]["group.instance.id"]
        other = self.start("sendcode-worker", config=self.write_config(sections, "other.conf"))
        self.write_config()
        wait_for("the first worker to die", lambda: worker.process.poll() is not None)
        self.assertEqual(other.end(), 0)

    provoked = {"draining": drain, "drained": drain, "revocation_commit_asked": drain,
                "revocation_committed": drain, "revoked": rebalance}

    # --- a point ---

    def accepted(self, job):
        return [m for m in self.ledger() if m["session_context"] == job["job_id"]]

    def die_at(self, point):
        self.publish_load()
        worker = self.start("sendcode-worker-crash", {"SENDCODE_CRASHPOINT": point})
        if point in self.provoked:
            self.provoked[point](self, worker)
        wait_for(f"the worker to die at {point}", lambda: worker.process.poll() is not None)
        self.assertEqual(worker.process.returncode, -signal.SIGKILL, worker.text())

    def numbers(self, sql):
        return self.query(sql)[0]

    def is_finished(self):
        # A receipt that a worker pulled and did not store is lost: its job stays sent.
        unsent, = self.numbers("select count(*) from sendcode.deliveries"
                               " where state not in ('sent', 'delivered')")
        rows = self.numbers("select coalesce(sum(jobs), 0), coalesce(sum(duplicates), 0),"
                            " coalesce(sum(invalid), 0) from sendcode.accounting")
        left = self.numbers("select (select count(*) from sendcode.parked),"
                            " (select count(*) from sendcode.outbox)")
        return unsent == 0 and left == (0, 0) and rows == (
            len(self.jobs), self.duplicates, len(self.invalid))

    def is_announced(self):
        """The highest event of each job says what the table says."""
        last = {}
        for event in self.events():
            if event["seq"] >= last.get(event["job_id"], (0,))[0]:
                last[event["job_id"]] = (event["seq"], event["state"])
        table = self.query("select job_id, seq, state from sendcode.deliveries")
        return last == {job: (seq, state) for job, seq, state in table}

    def finish(self):
        worker = self.start("sendcode-worker")
        wait_for("the next worker to be ready", lambda: self.is_ready(worker))
        try:
            wait_for("all jobs to be sent", self.is_finished)
            wait_for("all jobs to be announced", self.is_announced)
        except AssertionError as e:
            rows = self.query("select job_id, state, reason from sendcode.deliveries"
                              " where state not in ('sent', 'delivered')")
            raise AssertionError(f"{e}: {rows}\n{worker.text()}") from e
        self.assertEqual(worker.end(), 0)

    def check(self):
        self.assert_accounts_whole()
        messages = [m["session_context"] for m in self.ledger()]
        self.assertCountEqual(messages, [j["job_id"] for j in self.jobs])
        accepted = self.query("select job_id from sendcode.attempts where outcome = 'accepted'")
        self.assertCountEqual([row[0] for row in accepted], messages)
        self.assertEqual({r["payload"] for r in self.consume("dead")}, set(self.invalid))

    def try_point(self, point):
        begun = time.monotonic()
        self.die_at(point)
        self.clear_faults()
        self.finish()
        self.check()
        return time.monotonic() - begun

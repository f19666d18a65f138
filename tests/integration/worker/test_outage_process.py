"""The worker's own troubles: clocks that step, a stop, little memory, and endings."""

import datetime
import pathlib
import resource
import signal
import unittest

from outage import Outage
from rig import wait_for

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


class Process(Outage):
    tencent = {"timeout": "2"}
    worker = {"start_budget": "1", "in_flight": "16", "drain": "3"}

    @unittest.skipUnless(pathlib.Path(FAKETIME).exists(), "needs libfaketime")
    def test_wall_clock_that_steps_back_and_forth_changes_nothing(self):
        """Deadlines are the database's to judge, leases are measured by CLOCK_BOOTTIME."""
        step = self.dir / "step"
        step.write_text("+0")
        worker = self.start_worker(env={
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(step), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        for seconds in ("-300", "+300", "-60", "+0"):
            step.write_text(seconds)
            self.flow(100)
            self.wait_decided()
            self.assertEqual(self.status(worker, "/readyz")[0], 200)
        self.assert_whole()
        self.assert_quiet(worker, 0)
        at = [datetime.datetime.fromisoformat(line.split()[0][2:-1])
              for line in self.lines(worker, "msg=job ")]
        self.assertGreater(max(at) - min(at), datetime.timedelta(minutes=9), "no clock stepped")

    def test_stopped_for_longer_than_its_session_it_is_fenced_and_goes_on(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 50})
        self.flow(400)
        self.wait_messages(50)
        worker.tell(signal.SIGSTOP)
        other = self.start_worker()
        wait_for("the other to own all", lambda: self.lines(other, "partitions assigned", "n=3"))
        self.wait_decided()
        worker.tell(signal.SIGCONT)
        wait_for("it to have noticed", lambda: worker.says("partitions lost"))
        self.assertEqual(other.end(), 0)
        self.flow(100)
        self.wait_decided()
        self.wait_ready(worker)
        self.assert_whole(doubtful=16)

    def test_short_of_memory_it_ends_with_a_sentence_and_loses_nothing(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 50})
        self.flow(300)
        self.wait_messages(30)
        statm = pathlib.Path(f"/proc/{worker.process.pid}/statm")
        used = int(statm.read_text().split()[0])
        room = used * resource.getpagesize() + 256 * 1024
        resource.prlimit(worker.process.pid, resource.RLIMIT_AS, (room, room))
        self.flow(1500, locale="x" * 30)
        wait_for("it to end or to be done", lambda: worker.process.poll() is not None
                 or self.decided() == len(self.jobs))
        if worker.process.poll() is not None:
            self.assertRegex(worker.text(), "out of memory|no memory|cannot allocate")
            self.start_worker()
        self.assert_whole(doubtful=16)

    def test_sigterm_drains_and_says_how_far_it_got(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 300})
        self.flow(300)
        self.wait_messages(30)
        self.assertEqual(worker.end(signal.SIGTERM), 0)
        self.assertTrue(self.lines(worker, "msg=draining", "at_most_s=3"))
        self.assertTrue(self.lines(worker, "drained; the group is left", "under_way=0"))
        self.assertEqual(self.states().keys(), {"sent"})
        self.clear_faults()
        self.start_worker()
        self.assert_whole()

    def test_second_sigterm_ends_at_once_and_leaves_nothing_worse_than_doubt(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 1500})
        self.flow(100)
        self.wait_messages(16)
        worker.tell(signal.SIGTERM)
        wait_for("the drain", lambda: worker.says("msg=draining"))
        self.assertTrue(wait_for("the end", lambda: self.insist(worker)))
        self.assertTrue(self.lines(worker, "second signal: ending at once", "under_way=16"))
        self.clear_faults()
        self.start_worker()
        self.assert_whole(doubtful=16)

    @staticmethod
    def insist(worker):
        """A second signal too soon after the first is taken for the same one."""
        if worker.process.poll() is None:
            worker.tell(signal.SIGTERM)
        return worker.process.poll() == 0


if __name__ == "__main__":
    unittest.main(verbosity=2)

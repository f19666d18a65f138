"""The account's rate is one for all workers, and who dies gives its share back."""

import datetime
import signal
import unittest

from rig import Rig, wait_for

RATE = 20


class Rate(Rig):
    tencent = {"rate": str(RATE)}

    def jobs(self, first, n):
        return [self.job(phone=f"+86138{i:08d}") for i in range(first, first + n)]

    def share(self, worker):
        return self.metric(worker, "sendcode_rate_share")

    def assert_paced(self):
        """Requests may bunch on a busy machine; two workers at the full rate each would show."""
        at = sorted(datetime.datetime.fromisoformat(m["at"].replace("Z", "+00:00")).timestamp()
                    for m in self.ledger())
        for i, first in enumerate(at):
            n = sum(t < first + 3 for t in at[i:])
            self.assertLessEqual(n, 4 * RATE, f"{n} in three seconds")

    def test_two_workers_keep_to_one_rate_and_one_takes_it_over(self):
        a, b = self.start_worker(), self.start_worker()
        wait_for("both to have a share", lambda: self.share(a) and self.share(b))
        self.publish(*self.jobs(0, 150))
        wait_for("half of them to be sent", lambda: len(self.ledger()) >= 75)
        self.assertLessEqual(self.share(a) + self.share(b), RATE + RATE / 2)  # not of one moment
        b.end(signal.SIGKILL)
        self.publish(*self.jobs(1000, 100))
        wait_for("the whole rate to be the other's", lambda: self.share(a) == RATE)
        wait_for("nearly all to be sent", lambda: len(self.ledger()) >= 240)
        self.assert_paced()


if __name__ == "__main__":
    unittest.main()

"""All that can happen to one job happens to it, and the timeline tells it in order."""

import datetime
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "receiver"))

from receiver_rig import PATH, ReceiverTest
from rig import Rig

# What stands on the lines, in their order: what happened, and words of its detail.
STORY = (
    ("requested", "scene register", "from 192.0.2.7"),
    ("attempt", "1: refused, ServiceUnavailable"),
    ("claimed", "for attempt 2"),
    ("attempt", "2: accepted", "in doubt until it was settled", "SerialNo"),
    ("settlement", "2: sent", "DescribeSendRecordList"),
    ("receipt", "SUCCESS", "DELIVRD: the phone has it", "by callback"),
    ("delivered", "DELIVRD: the phone has it"),
    ("verified",),
)


class Story(ReceiverTest):
    tencent = {"timeout": "1", "signature_life": "5", "doubt_grace": "1"}
    worker = {"start_budget": "1"}
    start_sandbox, config, ctl = Rig.start_sandbox, Rig.config, Rig.ctl

    def lines(self, job):
        """Time, what and detail of each line that names the job."""
        for line in self.ctl("timeline", job["job_id"]).splitlines():
            if job["job_id"] in line:
                at, _, what, *detail = line.split(None, 3)
                yield (datetime.datetime.fromisoformat(at.replace("Z", "+00:00")), what,
                       detail[0] if detail else "")

    def test_timeline_of_a_job_retried_in_doubt_settled_delivered_and_verified(self):
        receiver = self.start_receiver()
        self.start_worker()
        self.fault({"action": "SendSms"}, {"code": "ServiceUnavailable"}, times=1)
        self.fault({"action": "SendSms"}, {"drop": "after"}, times=1)
        job = self.publish(self.job(client_ip="192.0.2.7"))
        self.wait_state(job, "sent")
        status, text = self.http(self.addresses["control"] + "/receipts",
                                 {"url": f"http://127.0.0.1:{receiver.port}{PATH}"})
        self.assertEqual(status, 200, text)
        self.wait_state(job, "delivered")
        message, = self.ledger()
        self.ctl("verify", job["phone"], "register", stdin=message["params"][0])

        lines = list(self.lines(job))
        told = self.ctl("timeline", job["job_id"])
        # A question of the settling that found no record yet says so and is asked again. When it was
        # sent is known by the provider's clock, in whole seconds: about the time of the settlement.
        story = [l for l in lines if l[1] != "sent" and (l[1] != "settlement" or "2: sent" in l[2])]
        self.assertEqual([what for _, what, _ in story], [what for what, *_ in STORY], told)
        for (_, what, detail), (_, *words) in zip(story, STORY):
            for word in words:
                self.assertIn(word, detail, what)
        (sent, _, detail), = [l for l in lines if l[1] == "sent"]
        self.assertIn(f"attempt 2, SerialNo {message['serial_no']}", detail)
        at = {what: at for at, what, _ in lines}  # of the second attempt
        self.assertTrue(at["attempt"] <= sent <= at["receipt"], told)
        times = [at for at, _, _ in lines]
        self.assertEqual(times, sorted(times))
        self.assertEqual(told.count(message["serial_no"]), 3, told)
        self.assertNotIn(job["phone"][1:], told)


if __name__ == "__main__":
    unittest.main()

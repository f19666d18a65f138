"""Doubt, and how it ends: by the provider's records, never by sending again and hoping."""

import signal
import unittest

from rig import Rig, now, wait_for

QUICK = {"timeout": "1", "signature_life": "5", "doubt_grace": "1"}


class Doubt(Rig):
    tencent = QUICK
    worker = {"start_budget": "1"}

    def settlement(self, job):
        """What was concluded, question by question, of the job's first attempt."""
        rows = self.query("select settlement from sendcode.attempts where job_id = %s"
                          " order by attempt limit 1", job["job_id"])
        return [s["how"] for s in rows[0][0] or []] if rows else []

    def attempts(self, job):
        return [row[0] for row in self.query(
            "select outcome from sendcode.attempts where job_id = %s order by attempt",
            job["job_id"])]

    def accepted(self, job):
        return [m for m in self.ledger() if m["session_context"] == job["job_id"]]

    def doubtful(self, do, **fields):
        self.fault({"action": "SendSms"}, do, times=1)
        job = self.publish(self.job(**fields))
        self.wait_state(job, "in_doubt")
        return job

    def assert_events_end(self, job, state):
        wait_for(f"the event {state}", lambda: state in [
            e["state"] for e in self.events(job["job_id"])])
        events = self.events(job["job_id"])
        self.assertEqual(max(events, key=lambda e: e["seq"])["state"], state)

    def test_accepted_but_unanswered_is_found_and_sent(self):
        worker = self.start_worker()
        job = self.doubtful({"drop": "after"})
        self.wait_state(job, "sent")
        message, = self.accepted(job)
        self.assertEqual(self.query("select serial_no from sendcode.deliveries where job_id = %s",
                                    job["job_id"])[0][0], message["serial_no"])
        self.assertEqual(self.attempts(job), ["accepted"])
        self.assertEqual(self.settlement(job)[-1], "sent")
        self.assert_events_end(job, "sent")
        code = self.code_of(job["phone"])
        self.assertIn("ok", self.ctl("verify", job["phone"], "register", stdin=code))
        self.assertGreaterEqual(self.metric(worker, 'sendcode_settled_total{how="sent"}'), 1)
        self.assert_accounts_whole()

    def test_never_arrived_is_certain_after_the_grace_and_sent_again_with_the_same_code(self):
        self.start_worker()
        job = self.doubtful({"drop": "before"})
        self.assertEqual(self.accepted(job), [])
        self.wait_state(job, "sent")
        self.assertEqual(len(self.accepted(job)), 1)
        self.assertEqual(self.attempts(job), ["not_sent", "accepted"])
        self.assertEqual(self.settlement(job)[-1], "unsent")
        self.assert_events_end(job, "sent")
        wait_for("its row to go", lambda: self.query("select count(*) from sendcode.parked")
                 == [(0,)])
        self.assertIn("ok", self.ctl("verify", job["phone"], "register",
                                     stdin=self.code_of(job["phone"])))
        self.assert_accounts_whole()

    def test_refusal_that_nobody_heard_is_judged_by_its_code(self):
        self.start_worker()
        self.fault({"action": "SendSms"},
                   {"code": "FailedOperation.PhoneNumberInBlacklist", "delay_ms": 3000}, times=1)
        job = self.publish(self.job())
        self.wait_state(job, "in_doubt")
        self.wait_state(job, "rejected", "number")
        self.assertEqual(self.settlement(job)[-1], "refused")
        self.assertEqual(self.accepted(job), [])

    def test_records_that_cannot_be_trusted_settle_nothing(self):
        self.start_worker()
        self.fault({"action": "DescribeSendRecordList"}, {"body": "<html>"})
        job = self.doubtful({"drop": "before"}, deadline=now(12))
        self.wait_state(job, "unknown", "deadline")
        self.assertEqual(self.accepted(job), [])
        self.assertNotIn("unsent", self.settlement(job))

    def test_unknown_is_settled_after_its_deadline(self):
        self.start_worker()
        self.fault({"action": "DescribeSendRecordList"}, {"status": 500})
        job = self.doubtful({"drop": "after"}, deadline=now(7))
        self.wait_state(job, "unknown", "deadline")
        self.clear_faults()
        self.query("update sendcode.parked set ask_at = now()")
        self.wait_state(job, "sent")
        self.assert_events_end(job, "sent")

    def test_killed_claimant_is_taken_over_and_settled(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 30000}, times=1)
        job = self.publish(self.job())
        wait_for("the SMS to be accepted", self.ledger)
        worker.end(signal.SIGKILL)
        self.start_worker()
        self.wait_state(job, "sent")
        self.assertEqual(len(self.accepted(job)), 1)
        self.assertEqual(self.attempts(job), ["accepted"])
        self.assert_accounts_whole()

    def test_any_worker_settles_what_another_left(self):
        first = self.start_worker()
        job = self.doubtful({"drop": "before"})
        second = self.start_worker()
        first.end(signal.SIGKILL)
        self.wait_state(job, "sent")
        self.assertEqual(len(self.accepted(job)), 1)
        self.assertGreaterEqual(self.metric(second, 'sendcode_settled_total{how="unsent"}'), 1)


class RecordsLag(Rig):
    tencent = {**QUICK, "doubt_grace": "4"}
    worker = {"start_budget": "1"}
    sandbox_args = ["--record-lag", "3"]

    def test_records_that_lag_within_the_grace_are_waited_for(self):
        self.start_worker()
        self.fault({"action": "SendSms"}, {"drop": "after"}, times=1)
        job = self.publish(self.job())
        self.wait_state(job, "sent")
        self.assertEqual(len(self.ledger()), 1)


class NoResend(Rig):
    tencent = {**QUICK, "resend_after_doubt": "off"}
    worker = {"start_budget": "1"}

    def test_silence_is_no_proof_when_the_operator_says_so(self):
        self.start_worker()
        self.fault({"action": "SendSms"}, {"drop": "before"}, times=1)
        job = self.publish(self.job(deadline=now(14)))
        self.wait_state(job, "unknown", "deadline")
        self.assertEqual(self.ledger(), [])


class TooOften(Rig):
    tencent = QUICK
    worker = {"start_budget": "1"}
    sandbox_args = ["--record-lag", "30", "--number-limits"]

    def test_refused_for_frequency_after_a_doubt_is_doubt_again(self):
        """The records lag longer than the grace: the promise's footing gives way. The provider's
        own limit is the evidence that is left."""
        self.start_worker()
        self.fault({"action": "SendSms"}, {"drop": "after"}, times=1)
        job = self.publish(self.job(deadline=now(25)))
        wait_for("the second attempt", lambda: self.query(
            "select count(*) from sendcode.attempts where job_id = %s", job["job_id"])[0][0] == 2)
        self.wait_state(job, "in_doubt")
        self.wait_state(job, "unknown", "deadline")
        self.assertEqual(len(self.ledger()), 1)


if __name__ == "__main__":
    unittest.main()

"""The main job, end to end: a record on Kafka becomes an SMS and a code that verifies."""

import json
import signal
import unittest

from rig import Rig, now, wait_for


class MainJob(Rig):
    def test_job_becomes_sms_and_its_code_verifies_once(self):
        worker = self.start_worker()
        job = self.publish(self.job(client_ip="192.0.2.7"))
        self.wait_state(job, "sent")
        message, = self.ledger()
        self.assertEqual(message["session_context"], job["job_id"])
        self.assertRegex(message["params"][0], r"^\d{6}$")
        self.assertEqual(message["params"][1], "5")
        code = message["params"][0]
        wrong = f"{(int(code) + 1) % 1000000:06d}"
        self.assertIn("verdict: wrong", self.ctl("verify", job["phone"], "register", stdin=wrong,
                                                 code=1))
        self.assertIn("verdict: ok", self.ctl("verify", job["phone"], "register", stdin=code))
        self.assertIn("verdict: none", self.ctl("verify", job["phone"], "register", stdin=code,
                                                code=1))
        event = wait_for("its event", lambda: self.events(job["job_id"]))[-1]
        self.assertEqual(event["state"], "sent")
        self.assertEqual(event["phone"], "+86138****8000")
        self.assertEqual(event["serial_no"], message["serial_no"])
        timeline = self.ctl("timeline", job["job_id"])
        for word in ("sent", message["serial_no"]):
            self.assertIn(word, timeline)
        everything = worker.text() + json.dumps(self.consume("events")) + timeline
        self.assertNotIn(code, everything.replace(message["serial_no"], ""))
        self.assertNotIn(job["phone"], worker.text())
        self.assert_accounts_whole()

    def test_trace_headers_reach_the_events(self):
        self.start_worker()
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        job = self.publish(self.job(), headers=[f"traceparent={trace}", "tracestate=a=b"])
        self.wait_state(job, "sent")
        record = wait_for("its event", lambda: self.consume("events"))[-1]
        self.assertEqual(record["headers"], ["traceparent", trace, "tracestate", "a=b"])
        self.assertEqual(record["key"], job["job_id"])

    def test_same_job_id_never_sends_twice(self):
        worker = self.start_worker()
        job = self.publish(self.job())
        self.wait_state(job, "sent")
        self.publish(job)
        self.publish({**job, "phone": "+8613800138009"})
        wait_for("two duplicates", lambda: self.metric(
            worker, 'sendcode_jobs_total{outcome="duplicate"}') == 2)
        self.assertEqual(len(self.ledger()), 1)
        self.assert_accounts_whole()

    def test_limits_are_charged_once_and_said(self):
        self.start_worker()
        first = self.publish(self.job())
        self.wait_state(first, "sent")
        second = self.publish(self.job())
        self.wait_state(second, "limited", "cooldown")
        event = wait_for("its event", lambda: self.events(second["job_id"]))[-1]
        self.assertTrue(0 < event["retry_after"] <= 60)
        self.assertEqual(len(self.ledger()), 1)

    def test_other_countries_are_limited_without_a_message(self):
        self.start_worker()
        job = self.publish(self.job(phone="+85261234567"))
        self.wait_state(job, "limited", "country")
        self.assertEqual(self.ledger(), [])

    def test_late_is_never(self):
        self.start_worker()
        late = self.publish(self.job(requested_at=now(-120)))
        self.wait_state(late, "expired", "deadline")
        old = self.publish(self.job(requested_at=now(-90000)))
        self.wait_state(old, "expired", "deadline")
        self.assertEqual(self.ledger(), [])

    def test_many_jobs_each_once(self):
        worker = self.start_worker()
        jobs = [self.job(phone=f"+86138{i:08d}") for i in range(2000)]
        self.publish(*jobs)
        wait_for("all to be sent", lambda: self.query(
            "select count(*) from sendcode.deliveries where state = 'sent'")[0][0] == 2000)
        contexts = [m["session_context"] for m in self.ledger()]
        self.assertEqual(sorted(contexts), sorted(j["job_id"] for j in jobs))
        self.assertEqual(worker.end(), 0)
        self.assert_accounts_whole()
        # Committed to the end: a new worker is given nothing again.
        other = self.start_worker()
        wait_for("the partitions", lambda: other.says("partitions assigned"))
        self.assertEqual(other.end(), 0)
        self.assertEqual(len(self.ledger()), 2000)

    def test_ends_orderly_on_sigterm(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 1500})
        job = self.publish(self.job())
        wait_for("it to be claimed", lambda: self.state(job["job_id"])[0] == "claimed")
        self.assertEqual(worker.end(signal.SIGTERM), 0)
        self.assertEqual(self.state(job["job_id"]), ("sent", None))
        self.assertTrue(self.events(job["job_id"]))


class OverTls(Rig):
    def config(self):
        sections = super().config()
        sections["tencent"]["endpoint"] = self.addresses["tls_endpoint"]
        sections["tencent"]["ca_file"] = self.addresses["ca_file"]
        return sections

    def test_sends_with_the_certificate_verified(self):
        self.start_worker()
        job = self.publish(self.job())
        self.wait_state(job, "sent")

    def test_unverified_certificate_sends_nothing(self):
        sections = self.config()
        del sections["tencent"]["ca_file"]
        worker = self.start_worker(self.write_config(sections), ready=False)
        self.publish(self.job())
        wait_for("the complaint", lambda: "certificate" in worker.text())
        self.assertEqual(self.ledger(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)

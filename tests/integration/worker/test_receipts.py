"""Carriers' receipts that the worker fetches: from Tencent's queue, and by number."""

import json
import unittest

from rig import Rig, now, wait_for


class PulledReceipts(Rig):
    tencent = {"pull_receipts": "on"}
    scenes = {"register": {}, "login": {"sdk_app_id": "1400006790"}}

    def test_what_the_queue_gives_is_kept_joined_and_announced(self):
        # One answer in a form that nobody knows: kept as it is, and nothing is concluded.
        self.fault({"action": "PullSmsSendStatus"}, {"body": "<html>busy</html>"}, times=1)
        worker = self.start_worker()
        other = self.start_worker()
        jobs = [self.job(phone=f"+86138{i:08d}", scene="login" if i % 2 else "register")
                for i in range(8)]
        self.publish(*jobs)
        for job in jobs:
            self.wait_state(job, "delivered")
        self.assert_receipts_are_the_ledgers("pull")
        self.assertEqual(self.query("select convert_from(raw, 'UTF8') from sendcode.receipt"
                                    " where fault is not null"), [("<html>busy</html>",)])
        wait_for("the last events", lambda: len(self.last_states(jobs)) == 8)
        joined = [self.metric(w, 'sendcode_receipts_total{match="joined"}')
                  for w in (worker, other)]
        self.assertEqual(sum(joined), 8)
        fetched = [self.metric(w, 'sendcode_receipts_fetched_total{source="pull"}')
                   for w in (worker, other)]
        self.assertEqual(sorted(fetched), [0, 9], "one of them has the lease")
        for w in (worker, other):
            self.assertEqual(w.end(), 0)

    def last_states(self, jobs):
        last = {}
        for event in self.events():
            if event["seq"] >= last.get(event["job_id"], (0,))[0]:
                last[event["job_id"]] = (event["seq"], event["state"])
        return [j for j in jobs if last.get(j["job_id"], (0, ""))[1] == "delivered"]

    def assert_receipts_are_the_ledgers(self, source):
        rows = self.query("select serial_no, phone, status, code, source, match, job_id"
                          " from sendcode.receipts where fault is null")
        self.assertCountEqual(rows, [
            (m["serial_no"], m["phone"], "SUCCESS", "DELIVRD", source, "joined",
             m["session_context"]) for m in self.ledger()])


class ReceiptsByNumber(Rig):
    tencent = {"receipt_overdue": "60"}

    def test_a_receipt_that_did_not_come_is_asked_for_by_number(self):
        worker = self.start_worker()
        job = self.job()
        self.publish(job)
        self.wait_state(job, "sent")
        accepted, = self.ledger()
        wait_for("the sandbox's carrier", lambda: now(-1.1) > accepted["at"])
        self.query("update sendcode.attempt set at = at - interval '2 minutes',"
                   " recorded_at = recorded_at - interval '2 minutes'")
        self.query("update sendcode.overdue_position"
                   " set recorded_at = recorded_at - interval '1 hour'")
        self.wait_state(job, "delivered")
        rows = self.query("select source, match, job_id from sendcode.receipts")
        self.assertEqual(rows, [("by_number", "joined", job["job_id"])])
        self.assertEqual(worker.end(), 0)


class Conversions(Rig):
    tencent = {"report_conversions": "on"}
    scenes = {"register": {"ttl": "10"}, "login": {"ttl": "10"},
              "login en": {"sdk_app_id": "1400006790"}}

    def converted(self):
        messages = json.loads(self.http(self.addresses["control"] + "/messages")[1])
        return {m["session_context"] for m in messages if "converted_at" in m}

    def test_tencent_is_told_of_verified_codes_once_they_are_over(self):
        self.fault({"action": "ReportConversion"},
                   {"code": "UnauthorizedOperation.NotAllowed"}, times=1)
        worker = self.start_worker()
        jobs = [self.job(phone=f"+8613800000{i:03d}", scene="login" if i % 2 else "register",
                         locale="en" if i % 2 else None) for i in range(4)]
        self.publish(*jobs)
        for job in jobs:
            self.wait_state(job, "sent")
        for job in jobs[:3]:
            verdict = self.ctl("verify", job["phone"], job["scene"],
                               stdin=self.code_of(job["phone"]))
            self.assertIn("ok", verdict)
        self.query("update sendcode.attempt set recorded_at = recorded_at - interval '71 seconds'")
        self.query("update sendcode.conversion_position"
                   " set recorded_at = now() - interval '1 hour'")
        wait_for("the reports", lambda: len(self.converted()) == 3)
        self.assertEqual(self.converted(), {job["job_id"] for job in jobs[:3]})
        self.assertEqual(
            [self.metric(worker, f'sendcode_conversions_total{{outcome="{o}"}}')
             for o in ("reported", "failed", "refused")], [3, 1, 0])
        self.assertEqual(worker.text().count("the provider takes no conversions"), 1)
        self.assertTrue(worker.says("UnauthorizedOperation.NotAllowed"))
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    unittest.main()

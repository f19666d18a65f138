"""Things that break while the worker works: nothing is lost, nothing is sent twice."""

import signal
import time
import unittest

import psycopg2

from rig import BUILD, DSN, Program, Rig, now, wait_for


class ProviderFaults(Rig):
    tencent = {"timeout": "1", "probe_interval": "1"}
    worker = {"start_budget": "1"}

    def test_answer_that_is_none_is_in_doubt_and_never_sent_again(self):
        worker = self.start_worker()
        for number, do in enumerate([
                {"drop": "after"}, {"drop": "before"}, {"hang": True}, {"truncate": 20},
                {"body": "<html>"}, {"status": 502}, {"body": "{\"Response\":{}}"},
                {"code": "InternalError.Timeout"}]):
            phone = f"+861380013800{number}"
            self.fault({"action": "SendSms", "phone": phone}, do, times=1)
            job = self.publish(self.job(phone=phone))
            self.wait_state(job, "in_doubt")
            sent = [m for m in self.ledger() if m["session_context"] == job["job_id"]]
            self.assertLessEqual(len(sent), 1, do)
        time.sleep(2)  # a second send would have come by now
        contexts = [m["session_context"] for m in self.ledger()]
        self.assertEqual(len(contexts), len(set(contexts)))
        self.assertEqual(self.metric(worker, 'sendcode_attempts_total{outcome="in_doubt"}'), 8)
        self.assert_accounts_whole()

    def test_doubt_ends_unknown_at_the_deadline_and_is_announced(self):
        self.start_worker()
        self.fault({"action": "SendSms"}, {"drop": "before"}, times=1)

        job = self.publish(self.job(deadline=now(6)))
        self.wait_state(job, "in_doubt")
        wait_for("unknown", lambda: self.state(job["job_id"])[0] == "unknown")
        wait_for("its event", lambda: [e for e in self.events(job["job_id"])
                                       if e["state"] == "unknown"])
        self.assertEqual(self.query("select count(*) from sendcode.outbox")[0][0] > 0, False)

    def test_refusals_end_as_the_contract_says(self):
        self.start_worker()
        for phone, code, state, reason in [
                ("+8613800138001", "FailedOperation.PhoneNumberInBlacklist", "rejected", "number"),
                ("+8613800138002", "FailedOperation.ContainSensitiveWord", "rejected", "content"),
                ("+8613800138003", "LimitExceeded.PhoneNumberDailyLimit", "limited",
                 "provider_limit")]:
            self.fault({"action": "SendSms", "phone": phone}, {"code": code}, times=1)
            job = self.publish(self.job(phone=phone))
            self.wait_state(job, state, reason)

    def test_what_was_refused_for_now_is_sent_later(self):
        self.start_worker()
        self.fault({"action": "SendSms"}, {"envelope": "RequestLimitExceeded"}, times=2)
        job = self.publish(self.job())
        self.wait_state(job, "sent")
        attempts = self.query("select outcome from sendcode.attempts where job_id = %s"
                              " order by attempt", job["job_id"])
        self.assertEqual(attempts, [("refused",), ("refused",), ("accepted",)])

    def test_empty_purse_stops_intake_and_it_goes_on_by_itself(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"},
                   {"code": "FailedOperation.InsufficientBalanceInSmsPackage"})
        job = self.publish(self.job())
        wait_for("readyz to say so", lambda: self.status(worker, "/readyz")[0] == 503)
        self.assertIn("InsufficientBalance", self.status(worker, "/readyz")[1])
        self.wait_state(job, "retry", "configuration")
        self.clear_faults()
        self.wait_state(job, "sent")
        wait_for("readiness", lambda: self.status(worker, "/readyz")[0] == 200)


class Kills(Rig):
    tencent = {"timeout": "1", "signature_life": "5", "doubt_grace": "1"}
    worker = {"start_budget": "1"}

    def test_killed_with_a_request_under_way_is_in_doubt_not_sent_twice(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 30000}, times=1)
        job = self.publish(self.job())
        wait_for("the SMS to be accepted", self.ledger)
        worker.end(signal.SIGKILL)
        self.start_worker()
        self.wait_state(job, "in_doubt")
        self.assertEqual(len(self.ledger()), 1)
        self.assert_accounts_whole()

    def test_killed_at_any_moment_under_load_loses_and_doubles_nothing(self):
        jobs = [self.job(phone=f"+86139{i:08d}") for i in range(1500)]
        worker = self.start_worker()
        self.publish(*jobs)
        for part in (200, 600, 1000):
            wait_for("some to be sent", lambda part=part: len(self.ledger()) >= part)
            worker.end(signal.SIGKILL)
            worker = self.start_worker()
        wait_for("all to be sent", lambda: self.query(
            "select count(*) from sendcode.deliveries where state = 'sent'")[0][0] == 1500)
        contexts = [m["session_context"] for m in self.ledger()]
        self.assertEqual(len(contexts), len(set(contexts)))
        self.assertEqual(len(contexts), 1500)
        self.assert_accounts_whole()

    def test_two_workers_share_and_one_takes_over(self):
        kafka = {"client.id": "the-same"}
        sections = self.config()
        sections["kafka"].update(kafka)
        self.write_config(sections)
        first = self.start_worker()
        second = self.start_worker()
        wait_for("both to have partitions", lambda: second.says("partitions assigned"))
        self.publish(*[self.job(phone=f"+86137{i:08d}") for i in range(300)])
        first.end(signal.SIGTERM)
        wait_for("all to be sent", lambda: self.query(
            "select count(*) from sendcode.deliveries where state = 'sent'")[0][0] == 300)
        self.assertEqual(len(self.ledger()), 300)
        self.assert_accounts_whole()


class Descriptors(Rig):
    def test_too_few_are_said_and_cost_no_job(self):
        log = self.dir / "narrow.log"
        worker = Program(["bash", "-c", f"ulimit -n 32 && exec {BUILD}/sendcode-worker"
                          f" -c {self.config_path}"], log)
        self.programs.append(worker)
        wait_for("the warning", lambda: worker.says("raise ulimit -n"))
        jobs = [self.job(phone=f"+86135{i:08d}") for i in range(100)]
        self.publish(*jobs)
        wait_for("all to be sent", lambda: self.query(
            "select count(*) from sendcode.deliveries where state = 'sent'")[0][0] == 100)
        self.assertEqual(len(self.ledger()), 100)
        self.assert_accounts_whole()


class Postgres(Rig):
    def test_killed_backends_cost_nothing(self):
        self.start_worker()
        jobs = [self.job(phone=f"+86136{i:08d}") for i in range(1000)]
        self.publish(*jobs)
        admin = psycopg2.connect(DSN)
        admin.autocommit = True
        for part in (50, 300, 600):
            wait_for("some to be sent", lambda part=part: len(self.ledger()) >= part)
            with admin.cursor() as c:
                c.execute("select pg_terminate_backend(pid) from pg_stat_activity where"
                          " datname = %s and application_name like 'sendcode-worker%%'",
                          (self.name,))
        admin.close()
        wait_for("all to be sent", lambda: self.query(
            "select count(*) from sendcode.deliveries where state = 'sent'")[0][0] == 1000)
        self.assertEqual(len(self.ledger()), 1000)
        self.assert_accounts_whole()


class Ending(Rig):
    tencent = {"timeout": "1"}
    worker = {"start_budget": "1", "drain": "2"}

    def let_connect(self, allowed):
        admin = psycopg2.connect(DSN)
        admin.autocommit = True
        with admin.cursor() as c:
            c.execute(f'alter database "{self.name}" allow_connections {allowed}')
            c.execute("select pg_terminate_backend(pid) from pg_stat_activity where"
                      " datname = %s and application_name like 'sendcode-worker%%'", (self.name,))
        admin.close()

    def test_sigterm_while_postgres_is_away_leaves_the_group(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 700}, times=1)
        job = self.publish(self.job())
        wait_for("the SMS to be accepted", self.ledger)
        self.let_connect(False)
        self.assertEqual(worker.end(signal.SIGTERM), 0)
        self.assertTrue(worker.says("drain time is over"), worker.text())
        self.assertTrue(worker.says("the group is left"), worker.text())
        self.let_connect(True)
        self.start_worker()
        self.wait_state(job, "in_doubt")
        self.assertEqual(len(self.ledger()), 1)
        self.assert_accounts_whole()


if __name__ == "__main__":
    unittest.main(verbosity=2)

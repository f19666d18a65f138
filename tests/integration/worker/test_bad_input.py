"""What bad input gets: a dead letter, a note, a clear sentence; and nobody is held up."""

import json
import os
import signal
import subprocess
import unittest

from rig import BUILD, SECRETS, Rig, now, wait_for


class BadJobs(Rig):
    def test_invalid_records_are_buried_noted_and_hold_nobody_up(self):
        worker = self.start_worker()
        bad = {
            "not_json": "{'v':1}",
            "version": json.dumps(self.job(v=2)),
            "unknown_scene": json.dumps(self.job(scene="nowhere")),
            "reserved": json.dumps(self.job(channel="sms")),
            "future": json.dumps(self.job(requested_at=now(900))),
            "phone": json.dumps(self.job(phone="13800138000")),
            "too_long": json.dumps(self.job(note="x" * 9000)),
        }
        for value in bad.values():
            self.publish(value, partition=0)
        good = self.publish(self.job(), partition=0)
        self.wait_state(good, "sent")
        wait_for("all to be noted", lambda: self.query(
            "select count(*) from sendcode.other_records")[0][0] == len(bad))
        reasons = [r for r, in self.query(
            'select reason from sendcode.other_records order by "offset"')]
        self.assertEqual(reasons, list(bad))
        letters = wait_for("the dead letters", lambda: (
            lambda found: found if len(found) == len(bad) else None)(self.consume("dead")))
        found = {self.headers(letter)["sendcode-offset"]: letter for letter in letters}
        for offset, value in enumerate(bad.values()):
            letter = found[str(offset)]
            headers = self.headers(letter)
            self.assertEqual(letter["payload"], value)
            self.assertEqual(headers["sendcode-topic"], f"{self.name}.jobs")
            self.assertEqual(headers["sendcode-partition"], "0")
            self.assertIn("sendcode-at", headers)
            self.assertTrue(0 < len(headers["sendcode-error"]) <= 200)
        self.assertEqual(self.metric(worker, 'sendcode_jobs_total{outcome="invalid"}'), len(bad))
        self.assert_accounts_whole()

    def test_code_in_a_job_reaches_neither_dead_letters_nor_log(self):
        worker = self.start_worker()
        self.publish(self.job(code="482913"), headers=["x=482913"])
        letter = wait_for("the dead letter", lambda: self.consume("dead"))[0]
        headers = self.headers(letter)
        self.assertIsNone(letter["payload"])
        self.assertEqual(headers["sendcode-omitted"], "code")
        self.assertNotIn("x", headers)
        self.assertNotIn("482913", worker.text())

    def test_tombstone_is_invalid(self):
        self.start_worker()
        subprocess.run(["kcat", "-b", os.environ["SENDCODE_TEST_BOOTSTRAP"], "-t",
                        f"{self.name}.jobs", "-P", "-Z", "-K", ":", "-p", "0"],
                       input=b"+8613800138000:", check=True, timeout=60)
        wait_for("it to be noted", lambda: self.query(
            "select reason from sendcode.other_records") == [("tombstone",)])


class BadConfiguration(Rig):
    def check(self, sections, *words, env=None, args=("--check-config",)):
        path = self.write_config(sections)
        done = subprocess.run([BUILD / "sendcode-worker", "-c", path, *args], text=True,
                              capture_output=True, timeout=60,
                              env={**os.environ, **SECRETS, **(env or {})})
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return done.stderr

    def test_all_faults_are_named_in_one_go(self):
        sections = self.config()
        sections["tencent"]["timeout"] = "soon"
        sections["worker"]["nonsense"] = "1"
        sections["kafka"]["no.such.property"] = "1"
        sections["tencent"]["endpoint"] = "http://sms.tencentcloudapi.com"
        text = self.check(sections, "timeout", "nonsense", "endpoint", "no.such.property")
        self.assertEqual(len(text.splitlines()), 4)
        for line in text.splitlines():
            self.assertRegex(line, rf"^{self.config_path}:\d+: \[\w+\] [\w.]+: .*expected")

    def test_missing_secret_is_named(self):
        self.check(self.config(), "SENDCODE_CODE_KEY", env={"SENDCODE_CODE_KEY": ""})

    def test_secret_in_the_file_is_refused(self):
        sections = self.config()
        sections["kafka"]["sasl.password"] = "hunter2"
        text = self.check(sections, "sasl.password")
        self.assertNotIn("hunter2", text)

    def test_missing_schema_names_migrate(self):
        self.query("drop schema sendcode cascade")
        worker = self.start_worker(ready=False)
        self.assertEqual(worker.process.wait(timeout=60), 78)
        self.assertIn("sendcodectl migrate", worker.text())

    def test_bad_reload_keeps_the_old_configuration(self):
        worker = self.start_worker()
        good = self.config_path.read_text()
        for n, bad in enumerate([good + "\n[worker]\nin_flight = many\n",
                                 good.replace("[topics]", "no.such.property = 1\n[topics]")], 1):
            self.config_path.write_text(bad)
            worker.tell(signal.SIGHUP)
            wait_for("the complaint", lambda n=n: worker.text().count("the old one stays") >= n)
        job = self.publish(self.job())
        self.wait_state(job, "sent")
        self.config_path.write_text(good + "\n[scene login]\ntemplate_id = 1\n"
                                    "template_params = {code},{minutes}\n")
        worker.tell(signal.SIGHUP)
        wait_for("the reload", lambda: worker.says("configuration read again"))
        job = self.publish(self.job(scene="login", phone="+8613800138001"))
        self.wait_state(job, "sent")


if __name__ == "__main__":
    unittest.main(verbosity=2)

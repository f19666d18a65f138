"""The provider is slow, hangs, refuses, lies, or cannot be found or trusted."""

import os
import signal
import ssl
import subprocess
import unittest

from outage import Outage
from proxy import Proxy
from rig import BUILD, Program, wait_for


class Provider(Outage):
    tencent = {"timeout": "1"}
    worker = {"start_budget": "1", "in_flight": "16"}

    def through_relay(self, tls=None, base="http://127.0.0.1", **tencent):
        host, port = self.addresses["endpoint"].rsplit("/", 1)[1].split(":")
        relay = Proxy((host, int(port)), tls=tls)
        self.addCleanup(relay.close)
        sections = self.config()
        sections["tencent"].update(endpoint=f"{base}:{relay.port}", **tencent)
        return relay, self.write_config(sections)

    def window(self, worker):
        return self.metric(worker, "sendcode_window")

    def test_slow_one_is_waited_for(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 700})
        self.flow(60)
        self.assert_whole()
        self.assertEqual(self.status(worker, "/readyz")[0], 200)

    def test_hanging_one_narrows_the_window_and_its_jobs_are_in_doubt(self):
        worker = self.start_worker()
        self.flow(50)
        self.wait_decided()
        self.fault({"action": "SendSms"}, {"hang": True}, times=20)
        self.flow(40)
        wait_for("the window to narrow", lambda: self.window(worker) < 8)
        self.wait_decided()
        self.clear_faults()
        self.flow(100)
        self.wait_decided()
        self.assertGreater(self.window(worker), 1)
        self.assertEqual(self.status(worker, "/readyz")[0], 200)
        self.assert_whole(doubtful=20)

    def test_refusing_one_costs_nothing_and_is_tried_until_it_takes(self):
        relay, config = self.through_relay()
        worker = self.start_worker(config)
        self.flow(20)
        self.wait_decided()
        relay.close()
        self.flow(30)
        wait_for("each to be tried", lambda: self.query(
            "select count(distinct job_id) from sendcode.attempts where outcome = 'not_sent'"
        ) == [(30,)])
        wait_for("the window to narrow", lambda: self.window(worker) == 1)
        self.assert_quiet(worker)
        again = Proxy(relay.target, relay.port)
        self.addCleanup(again.close)
        self.assert_whole()

    def test_lying_one_sends_nothing_twice(self):
        self.start_worker()
        for do in ({"truncate": 30}, {"body": "{\"Response\":{\"SendStatusSet\":[]}}"},
                   {"status": 200, "body": ""}, {"drop": "after"}):
            self.fault({"action": "SendSms"}, do, times=3)
        self.flow(60)
        self.assert_whole(doubtful=12)

    def make_certificate(self, name):
        key, cert = self.dir / "key.pem", self.dir / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout",
                        key, "-out", cert], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context, cert

    @unittest.skipUnless(os.getuid() == 0, "needs to mount a hosts file")
    def test_name_that_is_gone_sends_nothing_until_it_is_back(self):
        name = "sms.example.invalid"
        tls, cert = self.make_certificate(name)
        relay, config = self.through_relay(tls, f"https://{name}", ca_file=cert)
        hosts = self.dir / "hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        # A hosts file that only this worker sees.
        worker = Program(["unshare", "-m", "sh", "-c", f"mount --bind {hosts} /etc/hosts && exec"
                          f" {BUILD}/sendcode-worker -c {config}"], self.dir / "dns.log")
        self.programs.append(worker)
        self.flow(20)
        wait_for("the complaint", lambda: self.lines(worker, "does not tell its time", "resolve"))
        self.assert_quiet(worker)
        self.assertEqual(self.states(), {})
        hosts.write_text(f"127.0.0.1 localhost\n127.0.0.1 {name}\n")
        self.assert_whole()

    def test_certificate_of_a_stranger_sends_nothing_and_is_said(self):
        sections = self.config()
        sections["tencent"]["endpoint"] = self.addresses["tls_endpoint"]
        worker = self.start_worker(self.write_config(sections), ready=False)
        self.flow(10)
        wait_for("the complaint",
                 lambda: self.lines(worker, "does not tell its time", "certificate"))
        self.assert_quiet(worker)
        self.assertEqual(self.states(), {})
        self.assertEqual(worker.end(signal.SIGTERM), 0)
        self.start_worker(self.write_config())
        self.assert_whole()


if __name__ == "__main__":
    unittest.main(verbosity=2)

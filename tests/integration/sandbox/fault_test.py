"""Every kind of fault, what it leaves in the ledger's world, and the control port's refusals."""
import http.client
import subprocess
import time
import unittest

from sandbox_process import PHONE, Sandbox, sms

OTHER = "+8613900139000"


class Faults(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())

    def accepted(self):
        return len(self.sandbox.messages())

    def test_a_code_for_the_numbers_it_names(self):
        self.sandbox.fault({"code": "FailedOperation.PhoneNumberInBlacklist"},
                           match={"phone": OTHER})
        self.assertEqual(self.sandbox.codes(sms([PHONE, OTHER])),
                         ["Ok", "FailedOperation.PhoneNumberInBlacklist"])
        self.assertEqual(self.sandbox.codes(sms()), ["Ok"])
        self.assertEqual(self.sandbox.messages(OTHER), [])

    def test_a_code_though_the_sms_went_out(self):
        self.sandbox.fault({"code": "InternalError.Timeout", "accept": True}, times=1)
        [status] = self.sandbox.call("SendSms", sms())["SendStatusSet"]
        self.assertEqual((status["Code"], status["SerialNo"]), ("InternalError.Timeout", ""))
        self.assertEqual(self.accepted(), 1)

    def test_an_envelope_for_one_action_only(self):
        self.sandbox.fault({"envelope": "InternalError"}, match={"action": "SendSms"}, times=1)
        self.sandbox.call("DescribePhoneNumberInfo", {"PhoneNumberSet": [PHONE]})
        self.assertEqual(self.sandbox.error("SendSms", sms()), "InternalError")
        self.assertEqual(self.accepted(), 0)
        self.assertEqual(self.sandbox.codes(sms()), ["Ok"])

    def test_a_code_for_a_query_is_its_envelopes(self):
        self.sandbox.fault({"code": "ServiceUnavailable"})
        self.assertEqual(self.sandbox.error("DescribePhoneNumberInfo", {"PhoneNumberSet": [PHONE]}),
                         "ServiceUnavailable")

    def test_delay(self):
        self.sandbox.fault({"delay_ms": 300}, times=1)
        begin = time.monotonic()
        self.assertEqual(self.sandbox.codes(sms()), ["Ok"])
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertEqual(self.accepted(), 1)

    def test_others_are_answered_while_one_is_late(self):
        self.sandbox.fault({"delay_ms": 60000}, times=1)
        connection = self.sandbox.connect(timeout=0.5)
        with self.assertRaises(TimeoutError):
            self.sandbox.post("SendSms", sms(), connection=connection)
        self.assertEqual(self.sandbox.codes(sms()), ["Ok"])
        self.assertEqual(self.accepted(), 2)

    def test_delay_without_acceptance(self):
        self.sandbox.fault({"delay_ms": 1, "accept": False}, times=1)
        self.assertEqual(self.sandbox.codes(sms()), ["InternalError.Timeout"])
        self.assertEqual(self.accepted(), 0)

    def test_drop_before_and_after(self):
        for when, accepted in (("before", 0), ("after", 1)):
            self.sandbox.fault({"drop": when}, times=1)
            with self.assertRaises(http.client.RemoteDisconnected):
                self.sandbox.post("SendSms", sms())
            self.assertEqual(self.accepted(), accepted)

    def test_truncate(self):
        for length in (0, 40):
            self.sandbox.fault({"truncate": length}, times=1)
            response = self.sandbox.post("SendSms", sms())
            self.assertGreater(int(response.headers["Content-Length"]), 40)
            with self.assertRaises(http.client.IncompleteRead) as caught:
                response.read()
            self.assertEqual(len(caught.exception.partial), length)
        self.assertEqual(self.accepted(), 2)

    def test_body_and_status(self):
        self.sandbox.fault({"status": 502, "body": "<html>Bad Gateway</html>"}, times=1)
        response = self.sandbox.post("SendSms", sms())
        self.assertEqual((response.status, response.read()), (502, b"<html>Bad Gateway</html>"))
        self.sandbox.fault({"body": "{}"}, times=1)
        response = self.sandbox.post("SendSms", sms())
        self.assertEqual((response.status, response.read()), (200, b"{}"))
        self.sandbox.fault({"status": 503, "accept": True}, times=1)
        response = self.sandbox.post("SendSms", sms())
        self.assertEqual((response.status, response.read()), (503, b""))
        self.assertEqual(self.accepted(), 1)

    def test_hang(self):
        self.sandbox.fault({"hang": True}, times=1)
        with self.assertRaises(TimeoutError):
            self.sandbox.post("SendSms", sms(), timeout=0.5)
        self.assertEqual(self.sandbox.codes(sms()), ["Ok"])
        self.assertEqual(self.accepted(), 1)

    def test_rate(self):
        self.sandbox.fault({"rate": 0})
        self.assertEqual(self.sandbox.error("SendSms", sms()), "RequestLimitExceeded")
        self.assertEqual(self.accepted(), 0)

    def test_every_second(self):
        self.sandbox.fault({"code": "ServiceUnavailable"}, match={"every": 2})
        codes = [self.sandbox.codes(sms())[0] for _ in range(4)]
        self.assertEqual(codes, ["Ok", "ServiceUnavailable"] * 2)

    def test_only_what_is_signed_well_meets_a_fault(self):
        self.sandbox.fault({"envelope": "InternalError"}, times=1)
        self.assertEqual(self.sandbox.error("SendSms", sms(), secret_key="wrong"),
                         "AuthFailure.SignatureFailure")
        self.assertEqual(self.sandbox.control("GET", "/faults")[1][0]["used"], 0)

    def test_ambiguous_refusals_leave_no_record(self):
        query = {"PhoneNumber": PHONE, "SmsSdkAppId": "1", "BeginTime": int(time.time()) - 60}
        self.sandbox.fault({"code": "InternalError.Timeout"}, times=1)
        self.sandbox.codes(sms())
        self.assertEqual(self.sandbox.call("DescribeSendRecordList", query)["TotalCount"], 0)
        self.sandbox.fault({"code": "LimitExceeded.DailyLimit"}, times=1)
        self.sandbox.codes(sms())
        [record] = self.sandbox.call("DescribeSendRecordList", query)["SendRecordSet"]
        self.assertEqual((record["SendStatus"], record["RequestCode"]),
                         (1, "LimitExceeded.DailyLimit"))

    def test_faults_are_listed_and_deleted(self):
        told = self.sandbox.fault({"code": "ServiceUnavailable"}, times=3,
                                  match={"phone": "13800138000", "probability": 0.5})
        self.assertEqual(told["match"], {"phone": PHONE, "probability": 0.5, "every": 1})
        self.assertEqual(self.sandbox.control("GET", "/faults"), (200, [told]))
        self.assertEqual(self.sandbox.control("DELETE", "/faults")[0], 204)
        self.assertEqual(self.sandbox.control("GET", "/faults"), (200, []))


class ControlPort(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())

    def test_bad_requests_get_one_sentence(self):
        for method, path, body, status in [
            ("POST", "/faults", "{", 400),
            ("POST", "/faults", {"do": {}}, 400),
            ("POST", "/faults", {"do": {"hang": True}, "match": {"action": "SendSMS"}}, 400),
            ("GET", "/messages?phone=12", None, 400),
            ("GET", "/other", None, 404),
            ("POST", "/messages", None, 405),
            ("POST", "/receipts", {}, 400),
        ]:
            with self.subTest(path=path, body=body):
                answer = self.sandbox.control(method, path, body)
                self.assertEqual(answer[0], status)
                self.assertTrue(answer[1]["error"])

    def test_the_page_escapes_what_came_from_outside(self):
        self.sandbox.codes(sms(SignName="<script>alert('&\"')</script>"))
        status, page = self.sandbox.control("GET", "/")
        self.assertEqual(status, 200)
        self.assertNotIn("<script>alert", page)
        self.assertIn("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;", page)
        self.assertNotIn("http://", page)


class CommandLine(unittest.TestCase):
    def run_sandbox(self, *options, **env):
        sandbox = Sandbox(*options, env=env)
        return subprocess.run([sandbox.binary, *options], env=sandbox.env, text=True, timeout=20,
                              capture_output=True, check=False)

    def test_bad_options_are_one_sentence_and_64(self):
        for options in [["--frequency", "5"], ["--listen"], [], ["more"], ["--seed", "x"],
                        ["--listen", "127.0.0.1:0", "--record-lag", "-1"],
                        ["--listen", "127.0.0.1:0", "--receipts", "https://127.0.0.1/"],
                        ["--listen", "127.0.0.1:0", "--tls-dir", "/tmp"]]:
            with self.subTest(options=options):
                done = self.run_sandbox(*options)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_what_cannot_be_opened_is_said(self):
        with Sandbox() as sandbox:
            taken = sandbox.ready["endpoint"].removeprefix("http://")
            for options, code in [(["--listen", taken], 69),
                                  (["--listen", "nonsense"], 64),
                                  (["--listen", "127.0.0.1:0", "--ledger", "/nowhere/l"], 78),
                                  (["--listen", "127.0.0.1:0", "-c", "/nowhere/c"], 78),
                                  (["--tls-listen", "127.0.0.1:0", "--tls-dir", "/dev/null/x"],
                                   78)]:
                with self.subTest(options=options):
                    done = self.run_sandbox(*options)
                    self.assertEqual(done.returncode, code, done.stderr)
                    self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_key_is_needed(self):
        done = self.run_sandbox("--listen", "127.0.0.1:0", TENCENT_SECRET_KEY="")
        self.assertEqual(done.returncode, 78)
        self.assertIn("TENCENT_SECRET_KEY", done.stderr)

    def test_help(self):
        done = self.run_sandbox("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--number-limits", done.stdout)

    def test_the_ready_line_names_what_there_is(self):
        with Sandbox("--listen", "[::1]:0") as sandbox:
            self.assertEqual(sorted(sandbox.ready),
                             ["brokers", "ca_file", "control", "endpoint", "tls_endpoint"])
            self.assertRegex(sandbox.ready["endpoint"], r"^http://\[::1\]:\d+$")
            self.assertIsNone(sandbox.ready["control"])

    def test_a_full_disk_ends_it_and_answers_nothing(self):
        sandbox = Sandbox("--listen", "127.0.0.1:0", "--ledger", "/dev/full")
        sandbox.__enter__()
        with self.assertRaises(http.client.RemoteDisconnected):
            sandbox.post("SendSms", sms())
        sandbox.connections[0].close()
        out, err = sandbox.process.communicate(timeout=10)
        self.assertEqual((sandbox.process.returncode, out), (69, ""))
        self.assertIn("ledger", err)


if __name__ == "__main__":
    unittest.main()

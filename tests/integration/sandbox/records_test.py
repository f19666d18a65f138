"""What the provider remembers: records behind every fault, behind a lag, and after kill -9."""
import email.utils
import http.client
import json
import os
import signal
import tempfile
import time
import unittest

from sandbox_process import PHONE, Sandbox, sms

LISTEN = ("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")


def records(sandbox, **more):
    """What DescribeSendRecordList shows of the last minute, by the sandbox's clock."""
    skew = more.pop("skew", 0)
    query = {"PhoneNumber": PHONE, "SmsSdkAppId": "1400006789",
             "BeginTime": int(time.time()) + skew - 60, "Limit": 50}
    if skew:
        more["timestamp"] = int(time.time()) + skew
    answer = sandbox.call("DescribeSendRecordList", query, **more)
    assert answer["TotalCount"] == len(answer["SendRecordSet"]), answer
    return answer["SendRecordSet"]


def send_unheard(sandbox, **more):
    """A send whose answer, if any, does not matter."""
    try:
        sandbox.post("SendSms", sms(), **more).read()
    except (http.client.HTTPException, OSError):
        pass


class Faults(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())

    def test_what_was_accepted_behind_a_fault_is_on_record(self):
        for do in [{"drop": "after"}, {"hang": True, "accept": True}, {"truncate": 0},
                   {"truncate": 30, "accept": True}, {"delay_ms": 1},
                   {"status": 502, "body": "", "accept": True},
                   {"body": "{}", "accept": True}, {"rate": 0, "accept": True},
                   {"code": "InternalError.Timeout", "accept": True},
                   {"envelope": "InternalError", "accept": True},
                   {"drop": "before", "accept": True}]:
            with self.subTest(do=do):
                before = {r["SerialNo"] for r in records(self.sandbox)}
                self.sandbox.fault(do, times=1, match={"action": "SendSms"})
                send_unheard(self.sandbox, timeout=0.3)
                new = [r for r in records(self.sandbox) if r["SerialNo"] not in before]
                self.assertEqual(len(new), 1)
                self.assertIn(new[0]["SendStatus"], (2, 3))
                self.assertEqual(len(self.sandbox.messages()), len(before) + 1)
                self.sandbox.control("DELETE", "/faults")

    def test_what_was_not_accepted_is_not(self):
        for do in [{"drop": "before"}, {"hang": True}, {"status": 502}, {"body": "{}"}, {"rate": 0},
                   {"truncate": 0, "accept": False}, {"drop": "after", "accept": False},
                   {"code": "InternalError.Timeout"}, {"envelope": "InternalError"}]:
            with self.subTest(do=do):
                self.sandbox.fault(do, times=1, match={"action": "SendSms"})
                send_unheard(self.sandbox, timeout=0.3)
                self.assertEqual(records(self.sandbox), [])
                self.sandbox.control("DELETE", "/faults")

    def test_answers_are_counted_by_action_and_code(self):
        self.assertEqual(self.sandbox.control("GET", "/stats"), (200, {}))
        self.sandbox.codes(sms())
        self.sandbox.codes(sms([PHONE, "12"]))
        self.sandbox.error("SendSms", sms(), timestamp=int(time.time()) - 400)
        self.sandbox.error("SendSMS", sms())
        self.sandbox.fault({"drop": "after"}, times=1)
        send_unheard(self.sandbox)
        records(self.sandbox)
        self.assertEqual(self.sandbox.control("GET", "/stats"), (200, {
            "DescribeSendRecordList": {"Ok": 1},
            "SendSms": {"AuthFailure.SignatureExpire": 1,
                        "InvalidParameterValue.IncorrectPhoneNumber": 1, "Ok": 3},
            "other": {"InvalidAction": 1}}))


class Times(unittest.TestCase):
    def test_the_lag_may_change_while_it_runs(self):
        with Sandbox(*LISTEN, "--record-lag", "3600") as sandbox:
            sandbox.codes(sms())
            self.assertEqual(records(sandbox), [])
            self.assertEqual(sandbox.control("POST", "/record-lag", {"seconds": 0})[0], 204)
            self.assertEqual(len(records(sandbox)), 1)
            for bad in ["", "{", {}, {"seconds": -1}, {"seconds": "5"}, {"seconds": 10**9}]:
                self.assertEqual(sandbox.control("POST", "/record-lag", bad)[0], 400)
            self.assertEqual(len(records(sandbox)), 1)

    def test_a_skewed_clock_dates_answers_and_records_alike(self):
        for skew in (-7200, 7200):
            with Sandbox(*LISTEN, "--clock-skew", str(skew)) as sandbox:
                response = sandbox.post("SendSms", sms(), timestamp=int(time.time()) + skew - 290)
                date = email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
                self.assertIn(b'"Ok"', response.read())
                [record] = records(sandbox, skew=skew)
                self.assertLessEqual(abs(record["SendTime"] - date), 1)
                self.assertLess(abs(record["SendTime"] - skew - time.time()), 60)
                for off in (-310, 310):
                    self.assertEqual(sandbox.error("SendSms", sms(),
                                                   timestamp=int(time.time()) + skew + off),
                                     "AuthFailure.SignatureExpire")


class Restart(unittest.TestCase):
    def setUp(self):
        self.ledger = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), "ledger")

    def kill(self, sandbox):
        sandbox.process.send_signal(signal.SIGKILL)
        sandbox.process.communicate(timeout=10)
        for connection in sandbox.connections:
            connection.close()

    def test_kill_9_loses_nothing_that_was_answered(self):
        sandbox = Sandbox(*LISTEN, "--ledger", self.ledger, "--seed", "5")
        sandbox.__enter__()
        connection = sandbox.connect()
        for _ in range(20):
            sandbox.codes(sms(), connection=connection)
        sandbox.fault({"drop": "after"}, times=1)
        send_unheard(sandbox)
        before = (records(sandbox), sandbox.messages())
        self.kill(sandbox)
        with open(self.ledger, encoding="utf-8") as lines:
            self.assertEqual([json.loads(line) for line in lines], before[1])
        with Sandbox(*LISTEN, "--ledger", self.ledger, "--seed", "5") as sandbox:
            self.assertEqual(sandbox.messages(), before[1])
            self.assertEqual([r["SerialNo"] for r in records(sandbox)],
                             [r["SerialNo"] for r in before[0]])
            sandbox.codes(sms())
            serials = [m["serial_no"] for m in sandbox.messages()]
            self.assertEqual(len(set(serials)), 22)

    def test_a_torn_line_did_not_happen(self):
        with Sandbox(*LISTEN, "--ledger", self.ledger) as sandbox:
            sandbox.codes(sms())
            kept = sandbox.messages()
        with open(self.ledger, "a", encoding="utf-8") as f:
            f.write('{"phone":"+86138')
        with Sandbox(*LISTEN, "--ledger", self.ledger) as sandbox:
            self.assertEqual(sandbox.messages(), kept)
            sandbox.codes(sms())
        with open(self.ledger, encoding="utf-8") as lines:
            self.assertEqual(len([json.loads(line) for line in lines]), 2)

    def test_another_file_is_not_taken_for_a_ledger(self):
        for text in ("{}\n", "hello\n", '{"phone":"+8613800138000"}\n'):
            with open(self.ledger, "w", encoding="utf-8") as f:
                f.write(text)
            sandbox = Sandbox(*LISTEN, "--ledger", self.ledger)
            with self.assertRaisesRegex(AssertionError, "line 1 is no accepted SMS"):
                sandbox.__enter__()
            self.assertEqual(sandbox.process.wait(timeout=10), 78)
            sandbox.process.communicate()


if __name__ == "__main__":
    unittest.main()

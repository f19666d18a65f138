"""The worker's queries for send records, answered by the real sandbox with its lag and faults."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "sandbox"))

from sandbox_process import PHONE, Sandbox, sms  # noqa: E402 (its folder is known only now)

LISTEN = ("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0")
QUERY = {"action": "DescribeSendRecordList"}
RECORDS_ASK = sys.argv.pop(1)


def ask(sandbox, times=1, back_s=60):
    """The answers to so many queries in a row."""
    done = subprocess.run([RECORDS_ASK, sandbox.ready["endpoint"], PHONE, str(back_s), str(times)],
                          env=sandbox.env, text=True, timeout=60, capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        assert bool(answer["whole"]) == (answer["why"] == ""), answer
    return answers


class Records(unittest.TestCase):
    def test_what_was_sent_is_found_with_serial_number_and_time(self):
        with Sandbox(*LISTEN) as sandbox:
            self.assertEqual(ask(sandbox), [{"whole": 1, "code": "", "why": "", "records": []}])
            [status] = sandbox.call("SendSms", sms())["SendStatusSet"]
            sandbox.fault({"code": "LimitExceeded.DailyLimit"}, times=1)
            sandbox.codes(sms())
            sandbox.fault({"drop": "after"}, times=1, match={"action": "SendSms"})
            with self.assertRaises(OSError):
                sandbox.post("SendSms", sms())
            sandbox.codes(sms(["+8613900139000"]))
            [answer] = ask(sandbox)
            self.assertEqual(answer["whole"], 1, answer)
            unheard, refused, heard = answer["records"]
            self.assertEqual((heard["serial_no"], heard["accepted"]), (status["SerialNo"], 1))
            self.assertEqual((refused["serial_no"], refused["accepted"], refused["code"]),
                             ("", 0, "LimitExceeded.DailyLimit"))
            self.assertEqual((unheard["serial_no"], unheard["accepted"]),
                             (sandbox.messages(PHONE)[1]["serial_no"], 1))
            for record in answer["records"]:
                self.assertLess(abs(record["age_ms"]), 30000)

    def test_the_lag_hides_a_message_from_a_whole_answer(self):
        with Sandbox(*LISTEN, "--record-lag", "600") as sandbox:
            sandbox.codes(sms())
            [answer] = ask(sandbox)
            self.assertEqual((answer["whole"], answer["records"]), (1, []))
            sandbox.control("POST", "/record-lag", {"seconds": 0})
            self.assertEqual(len(ask(sandbox)[0]["records"]), 1)

    def test_their_clock_counts_not_ours(self):
        for skew in (-90000, 90000):
            with Sandbox(*LISTEN, "--clock-skew", str(skew)) as sandbox:
                [answer] = ask(sandbox)
                self.assertEqual((answer["whole"], answer["records"]), (1, []))

    def test_more_than_a_page(self):
        with Sandbox(*LISTEN) as sandbox:
            connection = sandbox.connect()
            for _ in range(103):
                sandbox.codes(sms(), connection=connection)
            [answer] = ask(sandbox)
            self.assertEqual(answer["whole"], 1, answer["why"])
            self.assertEqual({r["serial_no"] for r in answer["records"]},
                             {m["serial_no"] for m in sandbox.messages()})
            sandbox.fault({"drop": "after"}, times=1, match={**QUERY, "every": 3})
            [answer] = ask(sandbox)
            self.assertEqual((answer["whole"], len(answer["records"])), (0, 100))

    def test_a_faulty_answer_is_never_whole(self):
        with Sandbox(*LISTEN) as sandbox:
            sandbox.codes(sms())
            for do, code in [({"body": "{}"}, ""),
                             ({"body": "<html>"}, ""),
                             ({"body": '{"Response":{"SendRecordSet":{}}}'}, ""),
                             ({"truncate": 0}, ""),
                             ({"truncate": 60}, ""),
                             ({"status": 502}, ""),
                             ({"status": 503, "body": '{"Response":{"SendRecordSet":[]}}'}, ""),
                             ({"drop": "before"}, ""),
                             ({"drop": "after"}, ""),
                             ({"hang": True}, ""),
                             ({"rate": 0}, "RequestLimitExceeded"),
                             ({"envelope": "InternalError"}, "InternalError"),
                             ({"code": "UnauthorizedOperation.RequestPermissionDeny"},
                              "UnauthorizedOperation.RequestPermissionDeny")]:
                with self.subTest(do=do):
                    sandbox.fault(do, times=1, match=QUERY)
                    bad, good = ask(sandbox, times=2)
                    self.assertEqual((bad["whole"], bad["code"], bad["records"]), (0, code, []))
                    self.assertEqual((good["whole"], len(good["records"])), (1, 1), good["why"])

    def test_what_lies_too_far_back_is_not_proven_by_silence(self):
        with Sandbox(*LISTEN) as sandbox:
            self.assertEqual(ask(sandbox, back_s=71 * 3600)[0]["whole"], 1)
            self.assertEqual(ask(sandbox, back_s=73 * 3600)[0]["whole"], 0)

    def test_a_provider_that_was_killed_has_not_forgotten(self):
        with tempfile.TemporaryDirectory() as folder:
            options = (*LISTEN, "--ledger", os.path.join(folder, "ledger"))
            sandbox = Sandbox(*options)
            sandbox.__enter__()
            connection = sandbox.connect()
            sandbox.codes(sms(), connection=connection)
            connection.close()
            sandbox.process.send_signal(signal.SIGKILL)
            sandbox.process.communicate(timeout=10)
            with Sandbox(*options) as sandbox:
                self.assertEqual(len(ask(sandbox)[0]["records"]), 1)


if __name__ == "__main__":
    unittest.main()

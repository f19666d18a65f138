"""Status callbacks as Tencent posts them, and what the queries say of the same messages."""
import calendar
import json
import socket
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox_process import PHONE, Sandbox, sms

OTHER = "+8613900139000"
OK = '{"result":0,"errmsg":"OK"}'


class Receiver:
    """Takes callbacks; each is answered by the next of `answers` (status, text), then by OK."""

    def __init__(self):
        self.bodies, self.paths, self.answers = [], [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.bodies.append(json.loads(body))
                outer.paths.append(self.path)
                status, text = outer.answers.pop(0) if outer.answers else (200, OK)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.url = self.base + "/secret"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def receipts(self):
        return [r for body in self.bodies for r in body]


def wait_for(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Callbacks(unittest.TestCase):
    def setUp(self):
        self.receiver = self.enterContext(Receiver())
        self.sandbox = self.enterContext(Sandbox())

    def send(self, phone=PHONE):
        return self.sandbox.call("SendSms", sms([phone]))["SendStatusSet"][0]["SerialNo"]

    def order(self, expected=200, **order):
        status, answer = self.sandbox.control("POST", "/receipts",
                                              {"url": self.receiver.url, "retry_ms": 1, **order})
        self.assertEqual(status, expected, answer)
        return answer

    def test_a_receipt_has_tencents_members_and_chinas_time(self):
        serial_no = self.send()
        answer = self.order(serial_nos=[serial_no])
        self.assertEqual((answer["receipts"], answer["callbacks"], answer["taken"]), (1, 1, 1))
        self.assertEqual(self.receiver.paths, ["/secret"])
        receipt = self.receiver.bodies[0][0]
        at = calendar.timegm(time.strptime(receipt.pop("user_receive_time"), "%Y-%m-%d %H:%M:%S"))
        self.assertLess(abs(at - 8 * 3600 - time.time()), 20)
        self.assertEqual(receipt, {
            "nationcode": "86", "mobile": PHONE[3:], "report_status": "SUCCESS",
            "errmsg": "DELIVRD", "description": "用户短信送达成功", "sid": serial_no})
        told = self.sandbox.control("GET", f"/receipts?order={answer['order']}")[1]
        self.assertEqual([(c["state"], c["answers"]) for c in told],
                         [("taken", [{"status": 200, "body": OK}])])

    def test_phones_all_or_serial_numbers_say_which(self):
        first, second, third = self.send(), self.send(OTHER), self.send()
        for order, expected in [({}, [first, second, third]), ({"phones": [PHONE]}, [first, third]),
                                ({"phones": ["13900139000"]}, [second]),
                                ({"serial_nos": [third, second]}, [third, second])]:
            with self.subTest(order=order):
                self.receiver.bodies.clear()
                self.order(**order)
                self.assertEqual([r["sid"] for r in self.receiver.receipts()], expected)

    def test_batches_and_repeats(self):
        serials = [self.send(f"+861390000{n:04}") for n in range(5)]
        answer = self.order(batch=2, times=2)
        self.assertEqual((answer["receipts"], answer["callbacks"], answer["taken"]), (5, 6, 6))
        self.assertEqual(sorted(len(b) for b in self.receiver.bodies), [1, 1, 2, 2, 2, 2])
        self.assertEqual(sorted(r["sid"] for r in self.receiver.receipts()), sorted(serials * 2))

    def test_one_callback_holds_at_most_a_hundred(self):
        for n in range(0, 120, 60):
            self.sandbox.call("SendSms", sms([f"+8613900{n + i:06}" for i in range(60)]))
        self.order()
        self.assertEqual(sorted(len(b) for b in self.receiver.bodies), [20, 100])

    def test_a_serial_number_that_was_never_given(self):
        self.order(serial_nos=["2640:none"], phone=PHONE, status="FAIL", code="MK:0001")
        self.assertEqual([(r["sid"], r["errmsg"]) for r in self.receiver.receipts()],
                         [("2640:none", "MK:0001")])

    def test_what_is_not_taken_is_posted_three_times_at_most(self):
        serial_no = self.send()
        for answers, taken, tries in [
            ([(500, "")], 1, 2), ([(200, '{"result":1,"errmsg":"later"}')] * 2, 1, 3),
            ([(200, "OK")] * 3, 0, 3), ([(404, OK)] * 3, 0, 3),
        ]:
            with self.subTest(answers=answers):
                self.receiver.bodies.clear()
                self.receiver.answers = list(answers)
                answer = self.order(serial_nos=[serial_no])
                self.assertEqual((answer["taken"], answer["refused"]), (taken, 1 - taken))
                self.assertEqual(len(self.receiver.bodies), tries)
                told = self.sandbox.control("GET", f"/receipts?order={answer['order']}")[1]
                self.assertEqual([a["status"] for a in told[0]["answers"]][:len(answers)],
                                 [a[0] for a in answers])

    def test_nobody_listening_is_said(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/"
            answer = self.order(serial_nos=[self.send()], url=url)
        self.assertEqual((answer["taken"], answer["refused"]), (0, 1))
        told = self.sandbox.control("GET", f"/receipts?order={answer['order']}")[1]
        self.assertEqual(told[0]["answers"], [{"status": 0, "body": "cannot connect"}] * 3)

    def test_later_is_answered_at_once_and_comes_later(self):
        serial_no = self.send()
        begin = time.monotonic()
        order = self.order(202, serial_nos=[serial_no], delay_ms=300)["order"]
        self.assertEqual(self.sandbox.control("GET", f"/receipts?order={order}")[1][0]["state"],
                         "waiting")
        wait_for(lambda: self.receiver.bodies, "no callback came")
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)

    def test_the_queries_say_what_the_first_receipt_said(self):
        failed, delivered = self.send(), self.send()
        self.order(serial_nos=[failed], status="FAIL", code="MK:0012", description="空号")
        self.order(serial_nos=[failed], status="SUCCESS")
        self.assertEqual([r["report_status"] for r in self.receiver.receipts()],
                         ["FAIL", "SUCCESS"])
        self.order(serial_nos=[delivered])
        query = {"PhoneNumber": PHONE, "SmsSdkAppId": "1400006789", "Limit": 50, "Offset": 0,
                 "BeginTime": int(time.time()) - 60}
        records = self.sandbox.call("DescribeSendRecordList", query)["SendRecordSet"]
        self.assertEqual({r["SerialNo"]: (r["SendStatus"], r["StatusCode"]) for r in records},
                         {failed: (4, "MK:0012"), delivered: (2, "DELIVRD")})
        expected = {failed: ("FAIL", "MK:0012"), delivered: ("SUCCESS", "DELIVRD")}
        for action, params in [
            ("PullSmsSendStatusByPhoneNumber", query),
            ("PullSmsSendStatus", {"Limit": 100, "SmsSdkAppId": "1400006789"}),
        ]:
            receipts = self.sandbox.call(action, params)["PullSmsSendStatusSet"]
            self.assertEqual({r["SerialNo"]: (r["ReportStatus"], r["Description"])
                              for r in receipts}, expected, action)

    def test_bad_orders_get_one_sentence(self):
        serial_no = self.send()
        for order in [{"url": "https://127.0.0.1/x"}, {"url": "127.0.0.1"}, {"url": 5},
                      {"serial_nos": serial_no}, {"serial_nos": []}, {"serial_nos": [5]},
                      {"serial_nos": ["2640:none"]}, {"phones": [OTHER]}, {"status": "OK"},
                      {"code": "MK:0001"}, {"times": 0}, {"batch": 101}, {"delay_ms": -1},
                      {"delay": 5}, {"phone": "12"}]:
            with self.subTest(order=order):
                self.assertTrue(self.order(400, **order)["error"])
        self.assertEqual(self.sandbox.control("POST", "/receipts", "{")[0], 400)
        self.assertEqual(self.sandbox.control("POST", "/receipts", {})[0], 400)
        self.assertEqual(self.sandbox.control("GET", "/receipts?order=x")[0], 400)
        self.assertEqual(self.sandbox.control("GET", "/receipts"), (200, []))
        self.assertEqual(self.receiver.bodies, [])


class ByThemselves(unittest.TestCase):
    def test_each_message_is_reported_once(self):
        path = "/" + "s" * 40
        with Receiver() as receiver, Sandbox(
                "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--receipts", receiver.base,
                "--receipts-after", "0", env={"SENDCODE_RECEIPT_PATH": path}) as sandbox:
            phones = [f"+86139000{n:05}" for n in range(10)]
            sent = [s["SerialNo"] for s in sandbox.call("SendSms", sms(phones))["SendStatusSet"]]
            wait_for(lambda: len(receiver.receipts()) >= 10, "receipts are missing")
            sent.append(sandbox.call("SendSms", sms())["SendStatusSet"][0]["SerialNo"])
            wait_for(lambda: len(receiver.receipts()) >= 11, "the last receipt is missing")
            self.assertEqual([r["sid"] for r in receiver.receipts()], sent)
            self.assertEqual(set(receiver.paths), {path})


class Conversion(unittest.TestCase):
    def test_messages_show_what_was_reported(self):
        with Sandbox() as sandbox:
            serial_no = sandbox.call("SendSms", sms())["SendStatusSet"][0]["SerialNo"]
            self.assertNotIn("converted_at", sandbox.messages()[0])
            report = {"SmsSdkAppId": "1400006789", "SerialNo": serial_no,
                      "ConversionTime": int(time.time())}
            answer = sandbox.call("ReportConversion", report)["ReportConversionStatus"]
            self.assertEqual(answer, {"Code": "ok", "Message": "report success"})
            at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(report["ConversionTime"]))
            self.assertEqual(sandbox.messages()[0]["converted_at"], at)
            for changes, code in [({"SerialNo": "2640:none"}, "InvalidParameterValue"),
                                  ({"SerialNo": ""}, "InvalidParameterValue"),
                                  ({"ConversionTime": 0}, "InvalidParameterValue"),
                                  ({"ConversionTime": "now"}, "InvalidParameter")]:
                self.assertEqual(sandbox.error("ReportConversion", {**report, **changes}), code)


if __name__ == "__main__":
    unittest.main()

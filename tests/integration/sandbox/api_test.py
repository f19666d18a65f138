"""The API as Tencent has it: SendSms and its errors, the queries, the signature, TLS, the ledger."""
import json
import os
import stat
import tempfile
import time
import unittest

from sandbox_process import PHONE, SECRET_ID, SECRET_KEY, Sandbox, sms

APP = "1400006789"
OTHER = "+8613900139000"

CONFIG = """
[tencent]
sdk_app_id = 1400006789
sign_name = AA生活服务
[topics]
jobs = my.jobs
[scene login]
template_id = 1717171
template_params = {code},{minutes}
[scene short]
template_id = 1717172
template_params = {code}
"""


def until(seconds, what):
    """Asks until what() is true."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.05)
    return answer


class SendSms(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())

    def test_an_accepted_sms_has_a_serial_and_is_seen_on_the_control_port(self):
        answer = self.sandbox.call("SendSms", sms())
        [status] = answer["SendStatusSet"]
        self.assertEqual((status["Code"], status["Fee"], status["IsoCode"]), ("Ok", 1, "CN"))
        self.assertEqual((status["PhoneNumber"], status["SessionContext"]), (PHONE, "job-1"))
        [message] = self.sandbox.messages(PHONE)
        self.assertEqual(message["serial_no"], status["SerialNo"])
        self.assertEqual(message["text"], "【AA生活服务】您的验证码为：384592，请于5分钟内填写。"
                                          "如非本人操作，请忽略本短信。")
        self.assertEqual(message["params"], ["384592", "5"])
        self.assertEqual(self.sandbox.messages(OTHER), [])
        self.assertEqual(self.sandbox.control("DELETE", "/messages")[0], 204)
        self.assertEqual(self.sandbox.messages(), [])

    def test_numbers_are_normalised_and_judged_one_by_one(self):
        phones = ["13800138000", "8613800138001", "008613800138002", "+8613800138003", "12345"]
        statuses = self.sandbox.call("SendSms", sms(phones))["SendStatusSet"]
        self.assertEqual([s["PhoneNumber"] for s in statuses],
                         [f"+861380013800{i}" for i in range(4)] + ["12345"])
        self.assertEqual([s["Code"] for s in statuses],
                         ["Ok"] * 4 + ["InvalidParameterValue.IncorrectPhoneNumber"])
        self.assertEqual((statuses[4]["SerialNo"], statuses[4]["Fee"]), ("", 0))
        self.assertEqual(len(self.sandbox.messages()), 4)

    def test_two_hundred_numbers_are_the_most(self):
        phones = [f"+86138{i:08}" for i in range(201)]
        self.assertEqual(self.sandbox.codes(sms(phones[:200])), ["Ok"] * 200)
        self.assertEqual(self.sandbox.error("SendSms", sms(phones)),
                         "LimitExceeded.PhoneNumberCountLimit")

    def test_a_long_text_costs_more(self):
        answer = self.sandbox.call("SendSms", sms(SignName="签" * 40))
        self.assertEqual(answer["SendStatusSet"][0]["Fee"], 2)

    def test_errors_of_the_whole_request(self):
        for params, code in [
            (sms([]), "MissingParameter.EmptyPhoneNumberSet"),
            (sms(PhoneNumberSet=None), "MissingParameter"),
            (sms(TemplateId=None), "MissingParameter"),
            (sms(TemplateId=1717171), "InvalidParameter"),
            (sms(PhoneNumberSet=PHONE), "InvalidParameter"),
            (sms(PhoneNumberSet=[1]), "InvalidParameter"),
            (sms(Sign="AA生活服务"), "UnknownParameter"),
            (sms(SmsSdkAppId=""), "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
            (sms(SessionContext="x" * 512), "InvalidParameterValue"),
            (sms([PHONE, "+85251234567"]),
             "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber"),
        ]:
            with self.subTest(code=code, params=str(params)[:200]):
                self.assertEqual(self.sandbox.error("SendSms", params), code)
        for body in [b"", b"[]", b"{", b"{'a':1}", b"\xff"]:
            with self.subTest(body=body):
                self.assertEqual(self.sandbox.error("SendSms", None, body=body),
                                 "FailedOperation.JsonParseFail")
        self.assertEqual(self.sandbox.messages(), [])

    def test_errors_of_each_number(self):
        for params, code in [
            (sms(SignName=None), "FailedOperation.SignatureIncorrectOrUnapproved"),
            (sms(TemplateId=""), "FailedOperation.TemplateIncorrectOrUnapproved"),
            (sms(TemplateParamSet=["1"] * 11),
             "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"),
            (sms(TemplateParamSet=["1234567", "5"]),
             "InvalidParameterValue.TemplateParameterFormatError"),
            (sms(TemplateParamSet=["12345a", "5"]),
             "InvalidParameterValue.TemplateParameterFormatError"),
        ]:
            with self.subTest(code=code):
                self.assertEqual(self.sandbox.codes(params), [code])
        self.assertEqual(self.sandbox.codes(sms(["+85251234567"], SignName=None)), ["Ok"])
        self.assertEqual(len(self.sandbox.messages()), 1)


class Headers(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())

    def test_common_headers_are_looked_at_first(self):
        for headers, code in [
            ({"X-TC-Action": None}, "MissingParameter"),
            ({"X-TC-Action": "SendSMS"}, "InvalidAction"),
            ({"X-TC-Version": None}, "MissingParameter"),
            ({"X-TC-Version": "2019-07-11"}, "NoSuchVersion"),
            ({"X-TC-Region": None}, "MissingParameter"),
            ({"X-TC-Region": "Mars"}, "UnsupportedRegion"),
            ({"X-TC-Timestamp": None}, "MissingParameter"),
            ({"X-TC-Timestamp": "now"}, "InvalidParameter"),
            ({"Authorization": None}, "MissingParameter"),
            ({"Authorization": "Basic YWJj"}, "AuthFailure.InvalidAuthorization"),
            ({"X-TC-Token": "unexpected"}, "AuthFailure.TokenFailure"),
        ]:
            with self.subTest(headers=headers):
                self.assertEqual(self.sandbox.error("SendSms", sms(), headers=headers), code)

    def test_keys_and_times(self):
        now = int(time.time())
        for changes, code in [
            ({"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
            ({"secret_id": "wrong"}, "AuthFailure.SecretIdNotFound"),
            ({"timestamp": now - 310}, "AuthFailure.SignatureExpire"),
            ({"timestamp": now + 310}, "AuthFailure.SignatureExpire"),
            ({"service": "cvm"}, "AuthFailure.SignatureFailure"),
            ({"host": "sms.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
        ]:
            with self.subTest(changes=changes):
                self.assertEqual(self.sandbox.error("SendSms", sms(), **changes), code)
        for changes in [{"timestamp": now - 280}, {"timestamp": now + 280},
                        {"service": "127", "host": "127.0.0.1"}]:
            with self.subTest(changes=changes):
                self.assertEqual(self.sandbox.codes(sms(), **changes), ["Ok"])

    def test_only_post_and_only_the_one_path(self):
        connection = self.sandbox.connect()
        connection.request("GET", "/")
        self.assertIn(b"UnsupportedProtocol", connection.getresponse().read())
        connection.request("POST", "/other", b"{}")
        response = connection.getresponse()
        self.assertEqual(response.status, 404)


class Queries(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())
        self.begin = int(time.time()) - 60

    def records(self, **changes):
        params = {"PhoneNumber": PHONE, "SmsSdkAppId": APP, "BeginTime": self.begin, **changes}
        return self.sandbox.call("DescribeSendRecordList", params)

    def test_records_list_accepted_and_refused_newest_first_with_masked_content(self):
        [sent] = self.sandbox.call("SendSms", sms())["SendStatusSet"]
        self.sandbox.codes(sms(TemplateParamSet=["x", "5"]))
        self.sandbox.codes(sms([OTHER]))
        answer = self.records()
        refused, accepted = answer["SendRecordSet"]
        self.assertEqual(answer["TotalCount"], 2)
        self.assertEqual((refused["SendStatus"], refused["SerialNo"]), (1, ""))
        self.assertEqual(refused["RequestCode"],
                         "InvalidParameterValue.TemplateParameterFormatError")
        self.assertEqual((accepted["SerialNo"], accepted["RequestCode"]), (sent["SerialNo"], "Ok"))
        self.assertNotIn("384592", accepted["Content"])
        delivered = until(5, lambda: [r for r in self.records()["SendRecordSet"]
                                      if r["SendStatus"] == 2])
        self.assertEqual(delivered[0]["StatusCode"], "DELIVRD")
        self.assertEqual(len(self.records(Limit=1, Offset=1)["SendRecordSet"]), 1)

    def test_windows_and_pages_have_bounds(self):
        now = int(time.time())
        for changes, code in [
            ({"BeginTime": now - 73 * 3600}, "InvalidParameterValue.BeginTimeVerifyFail"),
            ({"EndTime": now + 3600}, "InvalidParameterValue.EndTimeVerifyFail"),
            ({"EndTime": self.begin - 1}, "InvalidParameterValue.EndTimeVerifyFail"),
            ({"Limit": 51}, "InvalidParameterValue.LimitVerifyFail"),
            ({"Limit": 0}, "InvalidParameterValue.LimitVerifyFail"),
            ({"Offset": -1}, "InvalidParameterValue.OffsetVerifyFail"),
            ({"PhoneNumber": "12"}, "InvalidParameterValue.IncorrectPhoneNumber"),
        ]:
            with self.subTest(changes=changes):
                params = {"PhoneNumber": PHONE, "SmsSdkAppId": APP, "BeginTime": self.begin}
                self.assertEqual(
                    self.sandbox.error("DescribeSendRecordList", {**params, **changes}), code)

    def test_a_receipt_is_pulled_once_and_found_by_number_again(self):
        [sent] = self.sandbox.call("SendSms", sms())["SendStatusSet"]
        pull = {"Limit": 100, "SmsSdkAppId": APP}
        [receipt] = until(5, lambda: self.sandbox.call("PullSmsSendStatus",
                                                       pull)["PullSmsSendStatusSet"])
        self.assertEqual((receipt["SerialNo"], receipt["ReportStatus"]),
                         (sent["SerialNo"], "SUCCESS"))
        self.assertEqual((receipt["CountryCode"], receipt["SubscriberNumber"]),
                         ("86", "13800138000"))
        self.assertEqual(self.sandbox.call("PullSmsSendStatus", pull)["PullSmsSendStatusSet"], [])
        by_number = {"BeginTime": self.begin, "Offset": 0, "Limit": 10, "PhoneNumber": PHONE,
                     "SmsSdkAppId": APP}
        for _ in range(2):
            answer = self.sandbox.call("PullSmsSendStatusByPhoneNumber", by_number)
            self.assertEqual(answer["PullSmsSendStatusSet"], [receipt])

    def test_numbers_are_explained(self):
        answer = self.sandbox.call("DescribePhoneNumberInfo",
                                   {"PhoneNumberSet": ["13800138000", "12"]})
        good, bad = answer["PhoneNumberInfoSet"]
        self.assertEqual((good["Code"], good["PhoneNumber"], good["NationCode"]),
                         ("Ok", PHONE, "86"))
        self.assertEqual((bad["Code"], bad["PhoneNumber"]),
                         ("FailedOperation.PhoneNumberParseFail", "12"))


class Options(unittest.TestCase):
    def setUp(self):
        self.dir = self.enterContext(tempfile.TemporaryDirectory())

    def path(self, name):
        return os.path.join(self.dir, name)

    def test_the_ledger_has_what_was_accepted(self):
        ledger = self.path("ledger")
        with Sandbox("--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
                     "--ledger", ledger) as sandbox:
            connection = sandbox.connect()
            for i in range(50):
                sandbox.codes(sms([f"+86138{i:08}"]), connection=connection)
                with open(ledger, encoding="utf-8") as lines:
                    self.assertEqual(len(lines.readlines()), i + 1)
            sandbox.fault({"code": "LimitExceeded.DailyLimit"})
            sandbox.codes(sms())
            with open(ledger, encoding="utf-8") as lines:
                self.assertEqual([json.loads(line) for line in lines], sandbox.messages())
        self.assertEqual(stat.S_IMODE(os.stat(ledger).st_mode), 0o600)

    def test_a_configuration_says_what_exists(self):
        config = self.path("sendcode.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write(CONFIG)
        with Sandbox("-c", config, "--listen", "127.0.0.1:0") as sandbox:
            self.assertEqual(sandbox.codes(sms()), ["Ok"])
            self.assertEqual(sandbox.codes(sms(TemplateId="1")),
                             ["FailedOperation.TemplateIncorrectOrUnapproved"])
            self.assertEqual(sandbox.codes(sms(SignName="BB")),
                             ["FailedOperation.SignatureIncorrectOrUnapproved"])
            self.assertEqual(sandbox.codes(sms(TemplateId="1717172")),
                             ["FailedOperation.TemplateParamSetNotMatchApprovedTemplate"])
            self.assertEqual(sandbox.error("SendSms", sms(SmsSdkAppId="1")),
                             "UnauthorizedOperation.SmsSdkAppIdVerifyFail")
            signs = sandbox.call("DescribeSmsSignList", {"International": 0})
            [sign] = signs["DescribeSignListStatusSet"]
            self.assertEqual((sign["SignName"], sign["StatusCode"]), ("AA生活服务", 0))
            templates = sandbox.call("DescribeSmsTemplateList",
                                     {"International": 0, "TemplateIdSet": [1717171]})
            [template] = templates["DescribeTemplateStatusSet"]
            self.assertEqual(template["TemplateContent"],
                             "您的验证码为：{1}，请于{2}分钟内填写。如非本人操作，请忽略本短信。")
            page = {"International": 0, "Limit": 10}
            self.assertEqual(len(sandbox.call("DescribeSmsTemplateList",
                                              page)["DescribeTemplateStatusSet"]), 2)

    def test_number_limits(self):
        with Sandbox("--listen", "127.0.0.1:0", "--number-limits") as sandbox:
            other = sms(TemplateParamSet=["111111", "5"])
            self.assertEqual(sandbox.codes(sms()), ["Ok"])
            self.assertEqual(sandbox.codes(sms()), ["LimitExceeded.PhoneNumberThirtySecondLimit"])
            self.assertEqual(sandbox.codes(other), ["Ok"])
            self.assertEqual(sandbox.codes(sms(TemplateParamSet=["222222", "5"])),
                             ["LimitExceeded.PhoneNumberDailyLimit"])

    def test_clock_skew_is_in_the_date_and_in_the_window(self):
        with Sandbox("--listen", "127.0.0.1:0", "--clock-skew", "-3600") as sandbox:
            now = int(time.time())
            response = sandbox.post("SendSms", sms(), timestamp=now - 3600)
            self.assertIn(b'"Ok"', response.read())
            date = time.strptime(response.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")
            expected = time.gmtime(now - 3600)
            self.assertIn((date.tm_hour - expected.tm_hour) % 24, (0, 1))
            self.assertEqual(sandbox.error("SendSms", sms()), "AuthFailure.SignatureExpire")

    def test_records_lag(self):
        with Sandbox("--listen", "127.0.0.1:0", "--record-lag", "3600") as sandbox:
            sandbox.codes(sms())
            answer = sandbox.call("DescribeSendRecordList",
                                  {"PhoneNumber": PHONE, "SmsSdkAppId": APP,
                                   "BeginTime": int(time.time()) - 60})
            self.assertEqual((answer["SendRecordSet"], answer["TotalCount"]), ([], 0))

    def test_a_seed_repeats_the_serial_numbers(self):
        serials = []
        for seed in ("5", "5", "6"):
            with Sandbox("--listen", "127.0.0.1:0", "--seed", seed) as sandbox:
                serials.append(sandbox.call("SendSms", sms())["SendStatusSet"][0]["SerialNo"])
        self.assertEqual(serials[0], serials[1])
        self.assertNotEqual(serials[0], serials[2])

    def test_tls_with_a_ca_of_its_own_that_is_kept(self):
        options = ("--tls-listen", "127.0.0.1:0", "--tls-dir", self.path("tls"))
        kept = []
        for _ in range(2):
            with Sandbox(*options) as sandbox:
                self.assertEqual(sandbox.ready["endpoint"], None)
                self.assertEqual(sandbox.codes(sms(), connection=sandbox.connect(tls=True)),
                                 ["Ok"])
                with open(sandbox.ready["ca_file"], encoding="ascii") as f:
                    kept.append(f.read())
        self.assertEqual(kept[0], kept[1])
        key = os.stat(os.path.join(self.path("tls"), "server.key"))
        self.assertEqual(stat.S_IMODE(key.st_mode), 0o600)

    def test_a_temporary_certificate_is_cleaned_up(self):
        with Sandbox("--tls-listen", "127.0.0.1:0", env={"TMPDIR": self.dir}) as sandbox:
            self.assertTrue(os.path.exists(sandbox.ready["ca_file"]))
        self.assertEqual(os.listdir(self.dir), [])

    def test_keys_from_files(self):
        with open(self.path("key"), "w", encoding="ascii") as f:
            f.write(SECRET_KEY + "\n")
        env = {"TENCENT_SECRET_KEY": "", "TENCENT_SECRET_KEY_FILE": self.path("key"),
               "TENCENT_SECRET_ID": "", "TENCENTCLOUD_SECRET_ID": SECRET_ID}
        with Sandbox("--listen", "127.0.0.1:0", env=env) as sandbox:
            self.assertEqual(sandbox.codes(sms()), ["Ok"])


if __name__ == "__main__":
    unittest.main()

"""Starts the real sendcode-sandbox on free ports and talks to it as Tencent's clients do."""
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time
from urllib.parse import urlsplit

SECRET_ID = "AKIDsandboxEXAMPLE"
SECRET_KEY = "sandboxSecretKeyEXAMPLE"
PHONE = "+8613800138000"


def sign(body, host, timestamp, secret_id=SECRET_ID, secret_key=SECRET_KEY, service="sms",
         content_type="application/json; charset=utf-8"):
    """The Authorization header, written anew from Tencent's description."""
    def mac(key, text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    date = time.strftime("%Y-%m-%d", time.gmtime(timestamp))
    canonical = (f"POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n\ncontent-type;host\n"
                 + hashlib.sha256(body).hexdigest())
    scope = f"{date}/{service}/tc3_request"
    to_sign = (f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n"
               + hashlib.sha256(canonical.encode()).hexdigest())
    key = mac(mac(mac(("TC3" + secret_key).encode(), date), service), "tc3_request")
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return (f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, "
            f"SignedHeaders=content-type;host, Signature={signature}")


def sms(phones=(PHONE,), **changes):
    """A SendSms request; a change of None leaves the member out."""
    request = {
        "PhoneNumberSet": list(phones),
        "SmsSdkAppId": "1400006789",
        "TemplateId": "1717171",
        "SignName": "AA生活服务",
        "TemplateParamSet": ["384592", "5"],
        "SessionContext": "job-1",
    }
    request.update(changes)
    return {k: v for k, v in request.items() if v is not None}


class Sandbox:
    """The process, from ready to SIGTERM; leaving the block checks that it ended well."""

    def __init__(self, *options, env=None):
        self.binary = os.path.join(os.environ["SENDCODE_BUILD_DIR"], "sendcode-sandbox")
        self.options = list(options) or ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
        self.env = dict(os.environ, TENCENT_SECRET_ID=SECRET_ID, TENCENT_SECRET_KEY=SECRET_KEY)
        self.env.update(env or {})
        self.connections = []

    def __enter__(self):
        self.process = subprocess.Popen([self.binary, *self.options], env=self.env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("not ready: " + self.process.stderr.read())
        self.ready = json.loads(line)
        return self

    def __exit__(self, kind, value, traceback):
        for connection in self.connections:
            connection.close()
        self.process.terminate()
        out, err = self.process.communicate(timeout=10)
        if kind is None:
            assert self.process.returncode == 0, (self.process.returncode, err)
            assert out == "" and "panic" not in err and "Sanitizer" not in err, (out, err)

    def connect(self, tls=False, timeout=10):
        url = urlsplit(self.ready["tls_endpoint" if tls else "endpoint"])
        if tls:
            context = ssl.create_default_context(cafile=self.ready["ca_file"])
            connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=timeout,
                                                     context=context)
        else:
            connection = http.client.HTTPConnection(url.hostname, url.port, timeout=timeout)
        self.connections.append(connection)
        return connection

    def post(self, action, params, connection=None, headers=None, body=None, timeout=10, **signing):
        """The HTTP response; headers overrides what is sent, None leaves one out."""
        connection = connection or self.connect(timeout=timeout)
        body = json.dumps(params).encode() if body is None else body
        timestamp = signing.pop("timestamp", int(time.time()))
        host = signing.pop("host", f"{connection.host}:{connection.port}")
        all_headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Host": f"{connection.host}:{connection.port}",
            "X-TC-Action": action,
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": "ap-guangzhou",
            "X-TC-Timestamp": str(timestamp),
            "Authorization": sign(body, host, timestamp, **signing),
        }
        all_headers.update(headers or {})
        connection.request("POST", "/", body,
                           {k: v for k, v in all_headers.items() if v is not None})
        return connection.getresponse()

    def call(self, action, params, **more):
        """The Response member of the answer."""
        response = self.post(action, params, **more)
        answer = json.loads(response.read())["Response"]
        assert response.status == 200 and answer["RequestId"], answer
        return answer

    def error(self, action, params, **more):
        """The code of an envelope's error."""
        answer = self.call(action, params, **more)
        assert answer["Error"]["Message"], answer
        return answer["Error"]["Code"]

    def codes(self, params, **more):
        """The codes of SendSms, one a number."""
        return [s["Code"] for s in self.call("SendSms", params, **more)["SendStatusSet"]]

    def control(self, method, path, params=None):
        """Status and body (parsed, where it is JSON) of the control port."""
        url = urlsplit(self.ready["control"])
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        body = params if isinstance(params, (str, type(None))) else json.dumps(params)
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        is_json = "json" in response.headers.get("Content-Type", "")
        return response.status, json.loads(text) if text and is_json else text

    def messages(self, phone=None):
        path = "/messages" + (f"?phone=%2B{phone[1:]}" if phone else "")
        return self.control("GET", path)[1]

    def fault(self, do, **more):
        status, answer = self.control("POST", "/faults", {"do": do, **more})
        assert status == 201, answer
        return answer

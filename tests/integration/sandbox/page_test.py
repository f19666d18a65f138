"""The page for people, as a browser shows it: headless Chromium runs its script and draws it."""
import os
import shutil
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox_process import PHONE, Sandbox, sms

CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--window-size=420,800"]


@unittest.skipUnless(shutil.which("chromium"), "needs chromium")
class Page(unittest.TestCase):
    def setUp(self):
        self.sandbox = self.enterContext(Sandbox())
        self.profile = self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))

    def browse(self, *options, url=None):
        return subprocess.run([*CHROMIUM, f"--user-data-dir={self.profile}", *options,
                               url or self.sandbox.ready["control"]], text=True, timeout=120,
                              capture_output=True, check=True).stdout

    def test_messages_are_shown_and_nothing_is_executed(self):
        self.sandbox.codes(sms(SignName="<img src=x onerror=\"document.title='bad'\">"))
        self.sandbox.codes(sms(["+8613900139000"], TemplateParamSet=["271828", "5"]))
        page = self.browse("--dump-dom")
        self.assertIn("您的验证码为：271828，请于5分钟内填写", page)
        self.assertIn(PHONE, page)
        self.assertIn("<title>sendcode sandbox</title>", page)
        self.assertNotIn("<img", page)
        self.assertLess(page.index("+8613900139000"), page.index(PHONE))

    def test_an_empty_page_says_so(self):
        self.assertIn("No message yet.", self.browse("--dump-dom"))

    def test_a_message_that_comes_later_appears_by_itself(self):
        sandbox = self.sandbox

        class Relay(BaseHTTPRequestHandler):
            """Passes the page on; the SMS is sent when it was fetched for the first time."""

            def do_GET(self):
                page = sandbox.control("GET", "/")[1].encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page)
                if not sandbox.messages():
                    sandbox.codes(sms())

            def log_message(self, *_):
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
            threading.Thread(target=relay.serve_forever, daemon=True).start()
            page = self.browse("--virtual-time-budget=8000", "--dump-dom",
                               url=f"http://127.0.0.1:{relay.server_port}/")
            relay.shutdown()
        self.assertIn("384592", page)

    def test_it_can_be_drawn(self):
        self.sandbox.codes(sms())
        picture = os.environ.get("SENDCODE_SCREENSHOT", os.path.join(self.profile, "page.png"))
        self.browse(f"--screenshot={picture}")
        with open(picture, "rb") as f:
            self.assertEqual(f.read(4), b"\x89PNG")


if __name__ == "__main__":
    unittest.main()

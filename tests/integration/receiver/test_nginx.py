"""etc/nginx-receipts.conf, run by a real nginx with other ports and a certificate of the tests."""

import http.client
import pathlib
import socket
import ssl
import unittest

from receiver_rig import OK, PATH, Program, ReceiverTest, json, receipt, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[3]
TLS = ROOT / "tests/unit/tls"
AROUND = """
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log {dir}/access.log;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
{server}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx(ReceiverTest):
    def start_nginx(self, receiver):
        """As the example has it, but for what depends on the machine."""
        self.port = free_port()
        text = (ROOT / "etc/nginx-receipts.conf").read_text()
        for old, new in (("    listen 443 ssl;", f"    listen 127.0.0.1:{self.port} ssl;"),
                         ("    listen [::]:443 ssl;\n", ""),
                         ("/etc/ssl/certs/receipts.example.com.pem", str(TLS / "server.pem")),
                         ("/etc/ssl/private/receipts.example.com.key", str(TLS / "server.key")),
                         ("127.0.0.1:9465", f"127.0.0.1:{receiver.port}")):
            self.assertIn(old, text)
            text = text.replace(old, new)
        conf = self.dir / "nginx.conf"
        conf.write_text(AROUND.format(dir=self.dir, server=text))
        nginx = Program(["/usr/sbin/nginx", "-p", self.dir, "-e", self.dir / "start.log",
                         "-c", conf], self.dir / "nginx.log")
        self.programs.append(nginx)

        def listens():
            self.assertIsNone(nginx.process.poll(), nginx.text())
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for("nginx", listens)
        return nginx

    def call(self, body, address, path=PATH, **headers):
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        c = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting, timeout=60,
                                        source_address=(address, 0))
        c.request("POST", path, body, headers)
        answer = c.getresponse()
        found = answer.status, answer.read()
        c.close()
        return found

    def test_the_example_passes_callbacks_and_their_callers_on_and_hides_the_path(self):
        receiver = self.start_receiver(allow="127.0.0.2", trust_proxy="on")
        nginx = self.start_nginx(receiver)
        body = json.dumps([receipt()])
        status, answer = self.call(body, "127.0.0.2")
        self.assertEqual((status, json.loads(answer)), (200, OK))
        forged = {"X-Forwarded-For": "127.0.0.2"}
        self.assertEqual(self.call(body, "127.0.0.3", **forged)[0], 404)
        self.assertEqual(self.call(body, "127.0.0.2", path="/")[0], 404)
        self.assertEqual(self.call("x" * 300_000, "127.0.0.2")[0], 413)
        receiver.end()
        self.assertEqual(self.call(body, "127.0.0.2")[0], 502)
        self.assertEqual(len(self.stored()), 1)
        nginx.end()
        for log in (*self.dir.glob("*.log"), *self.dir.glob("access*")):
            self.assertNotIn(PATH, log.read_text(errors="replace"), log)


if __name__ == "__main__":
    unittest.main(verbosity=2)

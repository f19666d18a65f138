"""The receiver between callbacks and the real PostgreSQL: everything is stored before it is answered,
and nobody without path and address gets in."""

import concurrent.futures
import datetime
import http.client
import signal
import time
import unittest

import psycopg2

from receiver_rig import OK, PATH, ReceiverTest, json, receipt, socket, wait_for

UTC = datetime.timezone.utc


class Receiver(ReceiverTest):
    def test_receipts_are_stored_as_they_came_and_duplicates_too(self):
        r = self.start_receiver()
        body = json.dumps([receipt(), receipt(report_status="FAIL", errmsg="MK:0001", extra=[1])],
                          ensure_ascii=False, indent=1).encode()
        self.assertEqual(self.post(r.port, body), (200, OK))
        self.assertEqual(self.post(r.port, body), (200, OK))
        one = ("2019:538520227", "+8613800138000", "SUCCESS", "DELIVRD", None)
        two = ("2019:538520227", "+8613800138000", "FAIL", "MK:0001", None)
        self.assertEqual(self.stored(), [one, two, one, two])
        at, source, raw = self.stored("user_received_at, source, raw")[0]
        self.assertEqual(at, datetime.datetime(2026, 11, 24, 0, 0, 5, tzinfo=UTC))
        self.assertEqual(source, "callback")
        self.assertIn(bytes(raw), body)
        self.assertEqual(json.loads(bytes(raw)), receipt())

    def test_rubbish_is_in_quarantine_and_answered_ok(self):
        r = self.start_receiver()
        bodies = [b"", b"no JSON \x00\xff", b"{}", b"[]", b"[1]", b'[{"sid":7}]']
        for body in bodies:
            self.assertEqual(self.post(r.port, body), (200, OK), body)
        rows = self.stored("raw, fault, match")
        self.assertEqual([bytes(raw) for raw, _, _ in rows],
                         [b"1" if b == b"[1]" else b'{"sid":7}' if b"sid" in b else b
                          for b in bodies])
        self.assertTrue(all(fault and match is None for _, fault, match in rows), rows)
        self.assertTrue(r.says("receipts that cannot be understood go into quarantine"))

    def test_a_body_of_unknown_length_is_refused_and_not_taken_for_an_empty_one(self):
        r = self.start_receiver()
        with socket.create_connection(("127.0.0.1", r.port)) as caller:
            caller.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n\r\n[]".encode())
            self.assertIn(b" 411 ", caller.recv(1000))
        self.assertEqual(self.stored(), [])

    def test_anything_but_a_post_to_the_secret_path_is_404(self):
        r = self.start_receiver()
        for path in ("/", PATH[:-1], PATH + "/", PATH.upper(), "/healthz", "/metrics"):
            self.assertEqual(self.post(r.port, [receipt()], path=path)[0], 404, path)
        for method in ("GET", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"):
            self.assertEqual(self.post(r.port, [receipt()], method=method)[0], 404, method)
        self.assertEqual(self.stored(), [])
        self.assertNotIn(PATH, r.text())

    def test_only_allowed_addresses_get_in_and_a_trusted_proxy_names_them(self):
        r = self.start_receiver(allow="10.1.0.0/16, 2001:db8::/32", trust_proxy="on")
        for forwarded, status in ((None, 404), ("10.1.2.3", 200), ("10.2.0.1", 404),
                                  ("10.1.2.3, 10.2.0.1", 404), ("10.2.0.1, 10.1.2.3", 200),
                                  ("2001:db8:1::2", 200), ("::ffff:10.1.2.3", 200),
                                  ("2001:db9::2", 404), ("rubbish", 404), ("", 404)):
            headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
            self.assertEqual(self.post(r.port, [receipt()], headers=headers)[0], status, forwarded)
        self.assertTrue(r.says("is refused"))
        untrusting = self.start_receiver(allow="10.1.0.0/16")
        self.assertEqual(self.post(untrusting.port, [receipt()],
                                   headers={"X-Forwarded-For": "10.1.2.3"})[0], 404)
        self.assertEqual(len(self.stored()), 4)
        self.assertNotIn(PATH, r.text() + untrusting.text())

    def test_a_header_that_the_caller_wrote_does_not_outdo_the_proxys_own(self):
        """Some proxies add a line of their own behind it."""
        r = self.start_receiver(allow="10.1.0.0/16", trust_proxy="on")
        for lines, status in ((("10.1.2.3", "10.2.0.1"), 404), (("10.2.0.1", "10.1.2.3"), 200)):
            connection = http.client.HTTPConnection("127.0.0.1", r.port)
            body = json.dumps([receipt()]).encode()
            connection.putrequest("POST", PATH)
            connection.putheader("Content-Length", str(len(body)))
            for address in lines:
                connection.putheader("X-Forwarded-For", address)
            connection.endheaders(body)
            self.assertEqual(connection.getresponse().status, status, lines)
            connection.close()

    def test_a_path_that_no_request_can_have_is_refused_at_once(self):
        for path in ("/short", PATH[1:], "/" + PATH, PATH + "?", PATH + "%41"):
            r = self.start_receiver(up=False, path=path)
            self.assertEqual(r.process.wait(timeout=30), 78, path)
            self.assertTrue(r.says("SENDCODE_RECEIPT_PATH"), r.text())

    def test_a_thousand_callbacks_at_once_are_all_stored(self):
        r = self.start_receiver()
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(
                lambda n: self.post(r.port, [receipt(sid=f"{n}:{i}") for i in range(3)]),
                range(1000)))
        self.assertEqual(answers, [(200, OK)] * 1000)
        self.assertEqual(sorted(s for s, in self.stored("serial_no")),
                         sorted(f"{n}:{i}" for n in range(1000) for i in range(3)))

    def test_what_is_too_long_is_refused_and_what_trickles_holds_nobody_up(self):
        r = self.start_receiver()
        slow = [socket.create_connection(("127.0.0.1", r.port)) for _ in range(20)]
        for s in slow:
            s.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: 100\r\n\r\n[".encode())
        with socket.create_connection(("127.0.0.1", r.port)) as long:
            long.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: 900000\r\n\r\n[".encode())
            self.assertIn(b" 413 ", long.recv(1000))
        self.assertEqual(self.post(r.port, [receipt()]), (200, OK))
        for s in slow:
            s.close()
        self.assertEqual(len(self.stored()), 1)

    def test_a_database_that_is_away_makes_tencent_try_again(self):
        r = self.start_receiver(dsn="host=/nonexistent dbname=x user=x")
        began = time.monotonic()
        status, answer = self.post(r.port, [receipt()])
        self.assertEqual((status, answer["result"]), (503, 1))
        self.assertLess(time.monotonic() - began, 30)
        self.assertTrue(r.says("service is not reachable; waiting for it"))

    def test_a_lock_that_outlasts_the_patience_is_no_loss(self):
        r = self.start_receiver()
        with psycopg2.connect(self.dsn) as holder, holder.cursor() as c:
            c.execute("lock table sendcode.receipt in exclusive mode")
            self.assertEqual(self.post(r.port, [receipt()])[0], 503)
        holder.close()
        self.assertEqual(self.post(r.port, [receipt()]), (200, OK))
        wait_for("both", lambda: len(self.stored()) == 2)

    def test_sigterm_answers_what_is_under_way(self):
        r = self.start_receiver()
        with psycopg2.connect(self.dsn) as holder, holder.cursor() as c, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            c.execute("lock table sendcode.receipt in exclusive mode")
            asked = pool.submit(self.post, r.port, [receipt()])
            wait_for("the insert", lambda: self.query(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
                " and application_name = 'sendcode-receiver'"))
            r.tell(signal.SIGTERM)
            wait_for("its end to begin", lambda: r.says("draining"))
            holder.rollback()
            self.assertEqual(asked.result(), (200, OK))
        holder.close()
        self.assertEqual(r.process.wait(timeout=30), 0)
        self.assertTrue(r.says("drained"))

    def test_a_schema_that_is_missing_or_a_role_without_rights_ends_it_with_78(self):
        for dsn, why in ((self.server_dsn, "run sendcodectl migrate"),
                         (f"{self.dsn} user={self.role}", "GRANT sendcode_receiver")):
            if "GRANT" in why:
                self.query(f"revoke sendcode_receiver from {self.role}")
            r = self.start_receiver(dsn=dsn, up=False)
            self.assertEqual(r.process.wait(timeout=30), 78)
            self.assertTrue(r.says(why), r.text())

    def test_its_role_may_insert_and_nothing_else(self):
        mine = psycopg2.connect(f"{self.dsn} user={self.role}")
        self.addCleanup(mine.close)
        mine.autocommit = True
        for sql in ("select from sendcode.receipt", "delete from sendcode.receipt",
                    "update sendcode.receipt set raw = ''", "truncate sendcode.receipt",
                    "insert into sendcode.receipt (source, raw, match) values"
                    " ('callback', '', 'joined')",
                    "select from sendcode.receipts", "select from sendcode.delivery",
                    "select sendcode.join_receipts(1)", "select sendcode.timeline('x')"):
            with self.assertRaises(psycopg2.errors.InsufficientPrivilege, msg=sql), \
                    mine.cursor() as c:
                c.execute(sql)


if __name__ == "__main__":
    unittest.main(verbosity=2)

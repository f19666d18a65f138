"""sendcode.verify: each verdict, the order of questions, the budget, and concurrency."""
import hashlib
import hmac
import json
import threading
import unittest

import psycopg2

from support import SCHEMA, DatabaseTest, code_of, connect

VECTORS = json.loads((SCHEMA / "verify-vectors.json").read_text())["digest"]


class Verdicts(DatabaseTest):
    def sent(self, **given):
        answer, _ = self.worker.send(self.job(**given))
        return answer

    def test_vectors(self):
        for vector in VECTORS:
            with self.subTest(phone=vector["phone"]):
                key = bytes.fromhex(vector["verify_key"])
                text = "sendcode.v1\n" + "\n".join((vector["phone"], vector["scene"],
                                                    vector["code"]))
                digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
                self.assertEqual(digest.hex(), vector["digest"])
                row = self.job(phone=vector["phone"], scene=vector["scene"],
                               proof=bytes.fromhex(vector["stored"]))
                self.worker.send(row)
                answer = self.verify([digest], vector["scene"], vector["phone"])
                self.assertEqual((answer.verdict, answer.job_id), ("ok", row["job_id"]))

    def test_ok_names_the_job_and_mentions_nothing_else(self):
        sent = self.sent()
        answer = self.verify(sent.nonce)
        self.assertEqual(tuple(answer), ("ok", None, None, sent.job_id))
        self.assertIsNotNone(self.sql("select verified_at from sendcode.delivery"
                                      " where job_id = %s", sent.job_id)[0].verified_at)

    def test_a_code_verifies_once(self):
        sent = self.sent()
        self.verify(sent.nonce)
        self.assertEqual(tuple(self.verify(sent.nonce)), ("none", None, None, None))
        challenge = self.challenge()
        self.assertEqual([v for n, v in challenge._asdict().items()
                          if n.startswith("live_") and v is not None], [])

    def test_a_code_verifies_from_its_claim_on(self):
        answer = self.worker.claim_one(self.job())
        self.assertEqual(self.verify(answer.nonce).job_id, answer.job_id)

    def test_a_code_used_before_its_acceptance_was_recorded_stays_used(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        self.verify(answer.nonce)
        self.assertEqual(self.worker.record_one(row, answer, "sent").state, "sent")
        self.assertEqual(self.verify(answer.nonce).verdict, "none")

    def test_none_without_a_code(self):
        self.assertEqual(tuple(self.verify(b"x")), ("none", None, None, None))
        self.worker.send(self.job(), "rejected", reason="number")
        self.assertEqual(self.verify(b"x").verdict, "none")

    def test_wrong_is_counted_with_its_address(self):
        self.sent()
        self.assertEqual([self.verify(b"x").tries_left for _ in range(5)], [4, 3, 2, 1, 0])
        tries = self.sql("select host(client_ip) as ip from sendcode.wrong_try where phone = %s",
                         self.phone)
        self.assertEqual([t.ip for t in tries], ["192.0.2.1"] * 5)

    def test_two_digests_are_one_try_and_either_may_be_right(self):
        sent = self.sent()
        right, other = code_of(bytes(sent.nonce))[0], b"o" * 32
        self.assertEqual(self.verify([other, other[::-1]]).tries_left, 4)
        self.assertEqual(self.verify([other, right]).verdict, "ok")

    def test_locked_is_not_looked_at_and_not_counted(self):
        sent = self.sent()
        for _ in range(5):
            self.verify(b"x")
        for _ in range(3):
            answer = self.verify(sent.nonce)
            self.assertEqual((answer.verdict, answer.tries_left, answer.job_id),
                             ("locked", 0, None))
            self.assertTrue(3590 < answer.retry_after.total_seconds() <= 3600)
        self.assertEqual(self.challenge().tries, 5)

    def test_the_window_runs_from_the_first_wrong_try(self):
        sent = self.sent(max_tries=2, tries_window=100)
        self.verify(b"x")
        self.age(90)
        self.verify(b"x")
        self.assertEqual(self.verify(b"x").verdict, "locked")
        self.age(11)
        self.assertEqual(self.verify(b"x").tries_left, 1)
        self.assertEqual(self.verify(sent.nonce).verdict, "ok")

    def test_the_day_has_its_own_budget(self):
        self.sent(max_tries=2, tries_window=10, max_tries_day=3)
        self.assertEqual([self.verify(b"x").tries_left for _ in range(2)], [1, 0])
        self.age(10)
        self.assertEqual(self.verify(b"x").tries_left, 0)
        self.age(10)
        answer = self.verify(b"x")
        self.assertEqual(answer.verdict, "locked")
        self.assertTrue(86370 < answer.retry_after.total_seconds() <= 86380, answer)

    def test_a_new_code_refills_nothing_and_ok_refills_all(self):
        self.sent()
        for _ in range(4):
            self.verify(b"x")
        second = self.sent(resend_same=False)
        self.assertEqual(self.verify(b"x").tries_left, 0)
        self.assertEqual(self.worker.claim_one(self.job()).reason, "locked")
        self.worker.cursor.execute("select sendcode.unlock(%s)", (self.phone,))
        self.assertEqual(self.worker.cursor.fetchone()[0], 1)
        self.verify(b"x")
        self.assertEqual(self.verify(second.nonce).verdict, "ok")
        self.sent()
        self.assertEqual(self.verify(b"x").tries_left, 4)

    def test_the_budget_is_per_scene(self):
        self.sent()
        self.sent(scene="register")
        for _ in range(5):
            self.verify(b"x")
        self.assertEqual(self.verify(b"x").verdict, "locked")
        self.assertEqual(self.verify(b"x", "register").tries_left, 4)

    def test_grace_then_expired_then_none(self):
        sent = self.sent()
        self.age(329)
        self.assertEqual(self.verify(b"x").verdict, "wrong")
        self.age(2)
        self.assertEqual(tuple(self.verify(sent.nonce)), ("expired", 4, None, None))
        self.sql("select sendcode.sweep()")
        self.assertEqual(tuple(self.verify(sent.nonce)), ("expired", 4, None, None))
        self.age(86400)
        self.assertEqual(self.verify(sent.nonce).verdict, "none")

    def test_a_code_whose_job_was_accepted_after_it_expired_is_expired_not_none(self):
        for swept in (False, True):
            with self.subTest(swept=swept):
                self.setUp()
                row = self.job(ttl=10)
                answer = self.worker.claim_one(row)
                self.worker.record_one(row, answer, "in_doubt", http_status=0)
                self.age(45)
                if swept:
                    self.sql("update sendcode.challenge set sweep_at = now() - interval '1 s'")
                    self.sql("select * from sendcode.sweep()")
                    self.assertIsNone(self.challenge().next_proof)
                self.worker.record_one(row, answer, "sent")
                self.assertEqual(self.verify(answer.nonce).verdict, "expired")
                self.age(86400)
                self.assertEqual(self.verify(answer.nonce).verdict, "none")

    def test_an_expired_code_accepted_late_is_told_when_who_said_it_again_was_not_sent(self):
        first = self.job(ttl=100)
        answer = self.worker.claim_one(first)
        self.worker.record_one(first, answer, "in_doubt", http_status=0)
        self.age(20)
        self.sql("update sendcode.parked set due_at = now() - interval '1 s'")
        self.sql("select * from sendcode.sweep()")
        again = self.job()
        said_again = self.worker.claim_one(again)
        self.assertEqual(said_again.nonce, answer.nonce)
        self.age(120)
        self.sql("update sendcode.challenge set sweep_at = now() - interval '1 s'")
        self.sql("select * from sendcode.sweep()")
        self.assertIsNone(self.challenge().next_proof)
        self.worker.record_one(first, answer, "sent")
        self.worker.record_one(again, said_again, "rejected", reason="number")
        self.assertEqual(self.verify(answer.nonce).verdict, "expired")

    def test_locked_comes_before_expired_and_none_before_locked(self):
        self.sent(tries_window=90000)
        for _ in range(5):
            self.verify(b"x")
        self.age(331)
        self.assertEqual(self.verify(b"x").verdict, "locked")
        self.age(86400)
        self.assertEqual(self.verify(b"x").verdict, "none")

    def test_an_expired_earlier_code_is_wrong_while_another_lives(self):
        first = self.sent()
        self.age(331)
        second = self.sent()
        self.assertEqual(self.verify(first.nonce).verdict, "wrong")
        self.assertEqual(self.verify(second.nonce).verdict, "ok")

    def test_bad_arguments_are_refused(self):
        good = b"d" * 32
        for phone, scene, digests in (
                (self.phone, "login", []), (self.phone, "login", [good] * 5),
                (self.phone, "login", [b"d" * 31]), (self.phone, "login", [good, None]),
                (None, "login", [good]), (self.phone, None, [good]), ("13800138000", "login", [good]),
                ("+0800138000", "login", [good])):
            with self.subTest(phone=phone, scene=scene, digests=digests):
                with self.assertRaises(psycopg2.Error) as caught:
                    self.sql("select * from sendcode.verify(%s, %s, null,"
                             " variadic %s::bytea[])", phone, scene, digests)
                self.assertEqual(caught.exception.pgcode, "22023")

    def test_a_call_without_any_digest_is_told_so(self):
        with self.assertRaises(psycopg2.Error) as caught:
            self.sql("select * from sendcode.verify(%s, 'login', null)", self.phone)
        self.assertEqual(caught.exception.pgcode, "22023")
        self.assertIn("one to four digests are needed", str(caught.exception))

    def test_a_transaction_left_open_with_it_holds_workers_up_for_two_seconds(self):
        sent, _ = self.worker.send(self.job())
        verifier = connect(self.dbname)
        self.addCleanup(verifier.close)
        verifier.set_session(autocommit=False)
        verifier.cursor().execute("select * from sendcode.verify(%s, 'login', null, %s)",
                                  (self.phone, code_of(sent.nonce)[0]))
        self.worker.cursor.execute("set lock_timeout = '10s'")
        self.assertEqual(self.worker.claim_one(self.job()).verdict, "send")
        with self.assertRaises(psycopg2.OperationalError):
            verifier.commit()

    def test_it_is_callable_with_digests_in_a_row(self):
        sent = self.sent()
        answer = self.sql("select * from sendcode.verify(%s, 'login', null, %s, %s)", self.phone,
                          b"o" * 32, code_of(bytes(sent.nonce))[0])[0]
        self.assertEqual(answer.verdict, "ok")


class Concurrency(DatabaseTest):
    def together(self, threads, digest):
        """The verdicts of that many calls that start at once, each on its own connection."""
        connections = [connect(self.dbname) for _ in range(threads)]
        barrier, verdicts = threading.Barrier(threads), []

        def call(connection):
            with connection.cursor() as cursor:
                barrier.wait()
                cursor.execute("select * from sendcode.verify(%s, 'login', null, %s)",
                               (self.phone, digest))
                verdicts.append(cursor.fetchone())
            connection.close()

        running = [threading.Thread(target=call, args=(c,)) for c in connections]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return verdicts

    def test_of_fifty_right_calls_exactly_one_is_ok(self):
        sent, _ = self.worker.send(self.job())
        verdicts = [v.verdict for v in self.together(50, code_of(bytes(sent.nonce))[0])]
        self.assertEqual(sorted(verdicts), ["none"] * 49 + ["ok"])

    def test_wrong_calls_at_once_never_exceed_the_budget(self):
        self.worker.send(self.job())
        verdicts = self.together(20, b"w" * 32)
        self.assertEqual(sorted(v.tries_left for v in verdicts if v.verdict == "wrong"),
                         [0, 1, 2, 3, 4])
        self.assertEqual(sum(v.verdict == "locked" for v in verdicts), 15)


if __name__ == "__main__":
    unittest.main()

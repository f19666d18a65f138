"""Which code a claim sends: resend, the first half of a life, codes in doubt."""
import unittest

from support import DatabaseTest, Worker, ago, now


class Resend(DatabaseTest):
    def sent(self, **given):
        row = self.job(**given)
        answer, _ = self.worker.send(row)
        return answer

    def test_same_repeats_the_live_code_and_keeps_its_end(self):
        first = self.sent()
        self.age(100)
        second = self.sent()
        self.assertEqual(bytes(second.nonce), bytes(first.nonce))
        self.assertEqual(bytes(second.proof), bytes(first.proof))
        self.assertTrue(199_000 < second.life_ms <= 200_000, second.life_ms)
        self.age(49)
        self.assertEqual(bytes(self.sent().nonce), bytes(first.nonce))

    def test_the_live_codes_use_names_the_later_job_that_may_have_brought_it(self):
        for settled in ("unknown", "unsent"):
            with self.subTest(settled=settled):
                self.setUp()
                first, _ = self.worker.send(self.job())
                self.age(100)
                row = self.job()
                self.worker.send(row, "in_doubt", http_status=0)
                self.age(61)
                self.sql("update sendcode.parked set due_at = now() - interval '1 s'"
                         " where job_id = %s", row["job_id"])
                self.sql("select * from sendcode.sweep()")
                other = self.worker.claim_one(self.job())
                self.assertNotEqual(bytes(other.nonce), bytes(first.nonce))
                if settled == "unsent":
                    self.sql("delete from sendcode.parked where job_id = %s", row["job_id"])
                answer = self.verify(first.nonce)
                self.assertEqual((answer.verdict, answer.job_id),
                                 ("ok", row["job_id"] if settled == "unknown" else first.job_id))

    def test_same_makes_a_new_code_in_the_second_half(self):
        first = self.sent()
        self.age(151)
        second = self.sent()
        self.assertNotEqual(bytes(second.nonce), bytes(first.nonce))
        self.assertGreater(second.life_ms, 299_000)

    def test_new_makes_a_new_code(self):
        first = self.sent()
        self.assertNotEqual(bytes(self.sent(resend_same=False).nonce), bytes(first.nonce))

    def test_another_length_or_an_unknown_key_makes_a_new_code(self):
        first = self.sent()
        self.assertNotEqual(bytes(self.sent(code_length=4).nonce), bytes(first.nonce))
        self.worker.known_keys = [b"key2"]
        third = self.sent(key_id=b"key2")
        self.assertEqual(bytes(third.key_id), b"key2")

    def test_a_repeat_after_the_first_half_of_the_first_life_is_new_though_repeated_before(self):
        first = self.sent()
        self.age(140)
        self.assertEqual(bytes(self.sent().nonce), bytes(first.nonce))
        self.age(20)
        self.assertNotEqual(bytes(self.sent().nonce), bytes(first.nonce))

    def test_a_spent_code_is_not_repeated(self):
        first = self.sent()
        self.assertEqual(self.verify(first.nonce).verdict, "ok")
        self.assertNotEqual(bytes(self.sent().nonce), bytes(first.nonce))

    def test_an_accepted_new_code_kills_the_earlier_one_and_an_unsent_one_does_not(self):
        first = self.sent()
        second, _ = self.worker.send(self.job(resend_same=False), "rejected", reason="content")
        self.assertEqual(self.verify(second.nonce).verdict, "wrong")
        third = self.sent(resend_same=False)
        self.assertEqual(self.verify(first.nonce).verdict, "wrong")
        self.assertEqual(self.verify(third.nonce).verdict, "ok")

    def test_while_a_new_code_is_under_way_both_verify(self):
        for which in (0, 1):
            with self.subTest(which=which):
                self.setUp()
                codes = [self.sent(), self.worker.claim_one(self.job(resend_same=False))]
                self.assertEqual(self.verify(codes[which].nonce).job_id, codes[which].job_id)
                self.assertEqual(self.verify(codes[1 - which].nonce).verdict, "none")

    def test_a_retry_that_repeats_the_live_code_ends_with_it(self):
        first = self.sent()
        row = self.job()
        self.worker.send(row, "retry")
        self.age(30)
        again = self.worker.claim_one(row)
        self.assertEqual(bytes(again.nonce), bytes(first.nonce))
        self.assertTrue(269_000 < again.life_ms <= 270_000, again.life_ms)

    def test_a_retry_whose_live_code_is_past_its_first_half_gets_a_new_one(self):
        first = self.sent()
        row = self.job(deadline=now().replace(year=2100))
        self.worker.send(row, "retry")
        self.age(160)
        again = self.worker.claim_one(row)
        self.assertNotEqual(bytes(again.nonce), bytes(first.nonce))
        self.assertGreater(again.life_ms, 299_000)


class CodesInDoubt(DatabaseTest):
    def unknown(self, **given):
        """A job that ended unknown a moment ago, its phone free again."""
        row = self.job(**given)
        answer, _ = self.worker.send(row, "in_doubt")
        self.sql("update sendcode.parked set due_at = now() - interval '1 s' where job_id = %s",
                 row["job_id"])
        self.sql("select * from sendcode.sweep()")
        self.age(17)
        return row, answer

    def test_it_is_said_again_in_the_first_half_whatever_resend_says_and_keeps_its_end(self):
        _, first = self.unknown()
        second, _ = self.worker.send(self.job(resend_same=False))
        self.assertEqual(bytes(second.nonce), bytes(first.nonce))
        self.assertLess(second.life_ms, 284_000)
        self.assertEqual(self.verify(first.nonce).job_id, second.job_id)

    def test_it_is_overwritten_later(self):
        _, first = self.unknown()
        self.age(140)
        second, _ = self.worker.send(self.job())
        self.assertNotEqual(bytes(second.nonce), bytes(first.nonce))
        self.assertEqual(self.verify(first.nonce).verdict, "wrong")

    def test_it_outlives_the_unsent_job_that_said_it_again(self):
        row, first = self.unknown()
        self.worker.send(self.job(), "rejected", reason="number")
        verdict = self.verify(first.nonce)
        self.assertEqual((verdict.verdict, verdict.job_id), ("ok", row["job_id"]))

    def test_a_waiting_job_that_says_it_again_is_not_the_one_that_brought_it(self):
        row, first = self.unknown()
        self.worker.send(self.job(), "retry")
        self.assertEqual(self.verify(first.nonce).job_id, row["job_id"])

    def test_a_late_acceptance_makes_it_live(self):
        row, first = self.unknown()
        answer = self.worker.record_one(row, first, "sent")
        self.assertEqual((answer.applied, answer.state), (True, "sent"))
        challenge = self.challenge()
        self.assertEqual((challenge.live_job_id, challenge.next_job_id), (row["job_id"], None))
        self.assertEqual(self.verify(first.nonce).verdict, "ok")

    def test_a_late_acceptance_leaves_a_newer_job_that_says_it_again_under_way(self):
        row, first = self.unknown()
        newer = self.job()
        second = self.worker.claim_one(newer)
        self.worker.record_one(row, first, "sent")
        self.assertEqual(self.challenge().next_job_id, newer["job_id"])
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "busy")
        self.worker.record_one(newer, second, "sent")
        self.assertEqual(self.verify(first.nonce).job_id, newer["job_id"])

    def test_an_older_job_is_not_superseded_by_an_unknown_one(self):
        self.unknown()
        older = self.job(requested_at=ago(50))
        self.assertEqual(self.worker.claim_one(older).verdict, "send")


if __name__ == "__main__":
    unittest.main()

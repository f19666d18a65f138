"""Jobs claimed again: retries, and what a new owner of a partition finds."""
import unittest

from support import DatabaseTest, Worker


class Retries(DatabaseTest):
    def test_a_retry_keeps_its_code_and_renews_its_life(self):
        row = self.job()
        first, waiting = self.worker.send(row, "retry")
        self.assertEqual((waiting.state, waiting.seq), ("retry", 2))
        self.age(30)
        row["nonce"] = b"n" * 16
        again = self.worker.claim_one(row)
        self.assertEqual((again.verdict, again.attempt, again.seq), ("send", 2, 3))
        self.assertEqual(bytes(again.nonce), bytes(first.nonce))
        self.assertGreater(again.life_ms, 299_000)

    def test_a_retry_under_an_unknown_key_gets_a_new_code(self):
        row = self.job()
        self.worker.send(row, "retry")
        self.worker.known_keys = [b"key2"]
        row.update(nonce=b"n" * 16, key_id=b"key2")
        self.assertEqual(bytes(self.worker.claim_one(row).nonce), b"n" * 16)

    def test_a_retry_past_its_deadline_expires_and_gives_back(self):
        row = self.job(cooldown=60)
        answer, _ = self.worker.send(row, "retry")
        self.sql("update sendcode.delivery set deadline = now() - interval '1 s'"
                 " where job_id = %s", row["job_id"])
        ended = self.worker.claim_one(row)
        self.assertEqual((ended.verdict, ended.state, ended.reason, ended.seq),
                         ("decided", "expired", "deadline", 3))
        self.assertEqual(self.verify(answer.nonce).verdict, "none")
        self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).verdict, "send")

    def test_a_retry_of_a_locked_scene_is_limited(self):
        row = self.job(max_tries=1)
        answer, _ = self.worker.send(row, "retry")
        self.assertEqual(self.verify(b"wrong").verdict, "wrong")
        ended = self.worker.claim_one(row)
        self.assertEqual((ended.state, ended.reason), ("limited", "locked"))
        self.assertTrue(3590 < ended.retry_after <= 3600, ended.retry_after)

    def test_a_retry_whose_code_was_spent_gets_a_new_one(self):
        sent, _ = self.worker.send(self.job())
        row = self.job()
        repeat, _ = self.worker.send(row, "retry")
        self.assertEqual(bytes(repeat.nonce), bytes(sent.nonce))
        self.assertEqual(self.verify(sent.nonce).verdict, "ok")
        row["nonce"] = b"n" * 16
        self.assertEqual(bytes(self.worker.claim_one(row).nonce), b"n" * 16)


class Ownership(DatabaseTest):
    def test_a_former_owner_is_fenced(self):
        former = Worker(self.dbname, "former", [5])
        self.addCleanup(former.connection.close)
        self.worker.take([5])
        row = former.job(phone=self.phone, partition=5)
        answer = former.claim_one(row)
        self.assertEqual((answer.verdict, answer.state), ("fenced", None))
        self.assertEqual(self.sql("select 1 from sendcode.delivery where job_id = %s",
                                  row["job_id"]), [])

    def test_a_new_owner_waits_for_the_former_ones_claim_and_then_doubts(self):
        row = self.job()
        old = self.worker.claim_one(row)
        heir = Worker(self.dbname, "heir")
        self.addCleanup(heir.connection.close)
        row["epoch"] = heir.epochs[0]
        waiting = heir.claim_one(row)
        self.assertEqual((waiting.verdict, waiting.job_id), ("wait", None))
        self.assertTrue(15_000 < waiting.wait_ms <= 20_000, waiting.wait_ms)
        self.age(20)
        doubt = heir.claim_one(row)
        self.assertEqual((doubt.verdict, doubt.state, doubt.seq), ("decided", "in_doubt", 2))
        self.assertEqual(self.sql("select kind from sendcode.parked where job_id = %s",
                                  row["job_id"])[0].kind, "in_doubt")
        attempt = self.sql("select * from sendcode.attempt where job_id = %s", row["job_id"])[0]
        self.assertEqual((attempt.outcome, attempt.worker), ("in_doubt", "w1"))
        self.assertEqual(heir.claim_one(row).verdict, "known")
        self.assertEqual(self.verify(old.nonce).job_id, row["job_id"])

    def test_another_claim_of_the_same_owner_waits_as_well(self):
        row = self.job()
        self.worker.claim_one(row)
        self.assertEqual(self.worker.claim_one(row).verdict, "wait")

    def test_what_the_former_owner_did_not_send_is_sent_by_the_new_one(self):
        for outcome, heirs_verdict in (("not_sent", "send"), ("refused", "send"),
                                       ("in_doubt", "wait")):
            with self.subTest(outcome=outcome):
                row = self.job(phone=f"+86138001381{len(outcome):02}")
                old = self.worker.claim_one(row)
                heir = Worker(self.dbname, "heir")
                self.addCleanup(heir.connection.close)
                state = "in_doubt" if outcome == "in_doubt" else "retry"
                late = self.worker.record_one(row, old, state, outcome=outcome)
                self.assertEqual((late.applied, late.state), (False, "claimed"))
                row["epoch"] = self.worker.epochs[0] = heir.epochs[0]
                answer = heir.claim_one(row)
                self.assertEqual(answer.verdict, heirs_verdict)
                if heirs_verdict == "send":
                    self.assertEqual((answer.attempt, answer.seq), (2, 2))
                    self.assertEqual(bytes(answer.nonce), bytes(old.nonce))
                    self.assertEqual(heir.record_one(row, answer, "sent").state, "sent")

    def test_epochs_grow_and_offsets_are_told(self):
        first = self.worker.take([7, 8])
        self.worker.claim_one(self.job(partition=7, offset=41))
        second = self.worker.take([8, 7])
        self.assertEqual([r.part for r in second], [7, 8])
        self.assertEqual([b.epoch - a.epoch for a, b in zip(first, second)], [1, 1])
        self.assertEqual([r.next_offset for r in second], [42, 0])

    def test_a_log_that_starts_again_opens_one_incarnation(self):
        self.worker.take([9])
        row = self.job(partition=9, offset=3)
        self.worker.send(row)
        self.assertEqual(self.worker.take([9], restarted=True)[0][2:], (2, 0))
        self.assertEqual(self.worker.take([9], restarted=True)[0][2:], (2, 0))
        again = self.job(partition=9, offset=3, job_id=row["job_id"])
        self.assertEqual(again["incarnation"], 2)
        self.assertEqual(self.worker.claim_one(again).verdict, "duplicate")

    def test_months_are_made_before_the_first_claim(self):
        self.sql("drop table sendcode.%s" % self.sql(
            "select to_char(now() + interval '1 month', '\"delivery_\"YYYYMM')")[0][0])
        self.worker.take([0])
        self.assertEqual(self.sql("select count(*) from pg_inherits where inhparent ="
                                  " 'sendcode.delivery'::regclass")[0][0],
                         self.sql("select count(*) from pg_inherits where inhparent ="
                                  " 'sendcode.attempt'::regclass")[0][0])


if __name__ == "__main__":
    unittest.main()

"""sendcode.take_parked and release_parked: leases, order, pace; retries of parked jobs; sweep."""
import threading
import unittest

from parking import ParkingTest, found, seconds
from support import TOPIC, Worker, connect, now


class Leases(ParkingTest):
    def test_a_doubt_is_told_with_all_that_asking_needs(self):
        row, _ = self.doubt(locale="zh-CN")
        taken = self.take_one(row)
        self.assertEqual((taken.kind, taken.lease, taken.day, taken.phone, taken.scene,
                          taken.locale, taken.partition, taken.incarnation, taken.offset,
                          taken.epoch, taken.attempt),
                         ("doubt", 1, row["requested_at"].date(), self.phone, "login", "zh-CN", 0,
                          1, row["offset"], self.worker.epochs[0], 1))
        stored = self.delivery(row)
        self.assertEqual((taken.requested_at, taken.deadline),
                         (stored.requested_at, stored.deadline))
        self.assertTrue(29_900 < taken.claimed_ago_ms < 35_000, taken.claimed_ago_ms)

    def test_a_fresh_doubt_waits_a_second(self):
        row = self.job()
        self.worker.send(row, "in_doubt")
        parked = self.parked(row)
        self.assertEqual(seconds(parked.ask_at, parked.parked_at), 1)
        self.sql("update sendcode.parked set ask_at = now() + interval '1 h'")
        self.assertEqual(self.take(), [])
        self.sql("update sendcode.parked set ask_at = now()")
        self.assertEqual(self.take_one(row).kind, "doubt")

    def test_a_lease_is_one_takers_until_it_lapses(self):
        row, _ = self.doubt()
        first = self.take_one(row)
        self.assertEqual(self.take(), [])
        self.age(30)
        self.sql("update sendcode.parked set deadline = now() + interval '30 s'")
        second = self.take_one(row)
        self.assertEqual(second.lease, first.lease + 1)
        self.assertEqual(self.settle(first, found("S1")).how, "passed")
        self.assertEqual(self.settle(second, found("S1")).how, "sent")

    def test_takers_at_once_never_share_a_row(self):
        for i in range(40):
            self.worker.send(self.job(phone=f"{self.phone}{i:02d}"), "in_doubt")
        self.sql("update sendcode.parked set ask_at = now()")
        taken, barrier = [], threading.Barrier(4)

        def take():
            connection = connect(self.dbname)
            with connection.cursor() as cursor:
                barrier.wait()
                for _ in range(4):
                    taken.extend(self.take(doubts=3, cursor=cursor))
            connection.close()

        takers = [threading.Thread(target=take) for _ in range(4)]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join()
        taken.extend(self.take())
        self.assertEqual(len({t.job_id for t in taken}), 40)
        self.assertEqual(len(taken), 40)

    def test_what_another_transaction_holds_is_passed_by(self):
        held, _ = self.doubt()
        free = self.job(phone=self.phone + "0")
        self.worker.send(free, "in_doubt")
        self.sql("update sendcode.parked set ask_at = now()")
        holder = connect(self.dbname)
        holder.set_session(autocommit=False)
        with holder.cursor() as cursor:
            cursor.execute("select * from sendcode.parked where job_id = %s for update",
                           (held["job_id"],))
            self.assertEqual([t.job_id for t in self.take()], [free["job_id"]])
        holder.rollback()
        holder.close()
        self.assertEqual([t.job_id for t in self.take()], [held["job_id"]])

    def test_other_topics_jobs_are_theirs(self):
        row, _ = self.doubt()
        self.assertEqual(self.take(topic="another"), [])
        self.sql("update sendcode.parked set topic = null")
        self.assertEqual(self.take(topic="another"), [])
        self.assertEqual(self.take_one(row).kind, "doubt")

    def test_first_the_latest_deadlines_then_the_unknown_the_oldest_first(self):
        order = []
        for n, left in enumerate((30, 50, 10)):
            row = self.job(phone=f"{self.phone}{n}")
            self.worker.send(row, "in_doubt")
            self.sql("update sendcode.parked set deadline = now() + %s * interval '1 s',"
                     " ask_at = now() where job_id = %s", left, row["job_id"])
            order.append((-left, row["job_id"]))
        for n, old in enumerate((5, 9, 7)):
            row = self.job(phone=f"{self.phone}9{n}")
            self.worker.send(row, "in_doubt")
            self.sql("update sendcode.parked set due_at = now() - %s * interval '1 h'"
                     " where job_id = %s", old, row["job_id"])
            order.append((100 - old, row["job_id"]))
        self.sql("select * from sendcode.sweep()")
        order = [job_id for _, job_id in sorted(order)]
        self.assertEqual([t.job_id for t in self.take()], order)
        self.sql("update sendcode.parked set lease_until = null")
        self.assertEqual([t.job_id for t in self.take(doubts=4)], order[:4])

    def test_all_takers_together_ask_so_many_a_second(self):
        for i in range(30):
            self.worker.send(self.job(phone=f"{self.phone}{i:02d}"), "in_doubt")
        self.sql("update sendcode.parked set ask_at = now()")
        self.assertEqual(self.takes_at_once(4), [4, 4, 2, 0])
        # Nothing is saved up, and what was asked a second ago is no more in the way.
        self.assertEqual(self.takes_at_once(2, asked_before=7), [3, 0])
        self.assertEqual(self.takes_at_once(4), [4, 4, 2, 0])

    def takes_at_once(self, times, asked_before=0):
        """How many doubts so many calls give within the moment that one statement takes, after
        that many this moment and three a second ago."""
        rows = self.sql(
            "update sendcode.pace set asked_at = array_fill(clock_timestamp(), array[%s])"
            " || array_fill(clock_timestamp() - interval '1 s', array[3]);"
            " select t.n from generate_series(1, %s) g cross join lateral (select count(*)::int"
            " as n from sendcode.take_parked('s', %s, 4 + 0 * g, 0, 30000, 10, 0)) t",
            asked_before, times, TOPIC)
        return [r.n for r in rows]

    def test_retries_need_no_pace_and_are_asked_for_by_themselves(self):
        row, _ = self.doubt()
        self.ask(row)
        self.doubt(phone=self.phone, scene="register")
        self.assertEqual(self.take(doubts=0, retries=0), [])
        self.assertEqual([t.kind for t in self.take(doubts=0)], ["retry"])
        self.assertEqual([t.kind for t in self.take(retries=0)], ["doubt"])

    def test_a_released_job_is_taken_again_after_its_wait(self):
        row, _ = self.doubt()
        self.ask(row)
        taken = self.take_one(row)
        self.release(taken, 20000)
        self.assertEqual(self.take(), [])
        self.age(20)
        self.assertEqual(self.take_one(row).lease, taken.lease + 1)

    def test_a_lease_of_long_ago_releases_nothing(self):
        row, _ = self.doubt()
        self.ask(row)
        old = self.take_one(row)
        self.age(30)
        new = self.take_one(row)
        self.release(old)
        self.assertIsNotNone(self.parked(row).lease_until)
        self.release(new)
        self.assertIsNone(self.parked(row).lease_until)

    def test_an_unknown_job_stays_parked_when_it_is_released(self):
        row, _ = self.unknown()
        self.release(self.take_one(row), 1000)
        self.assertIsNone(self.parked(row).lease_until)


class Retries(ParkingTest):
    """A job settled as unsent, its offset done, claimed by whoever has its lease."""

    def retry(self, **given):
        row, answer = self.doubt(**given)
        self.assertEqual(self.ask(row).state, "retry")
        self.sql("delete from sendcode.outbox")
        return row, answer

    def test_each_outcome_leaves_the_row_as_it_should(self):
        for state, kind in (("sent", None), ("rejected", None), ("retry", "retry"),
                            ("in_doubt", "in_doubt")):
            with self.subTest(state=state):
                self.setUp()
                row, _ = self.retry()
                taken = self.take_one(row)
                recorded = self.worker.record_one(row, self.again(row), state)
                self.assertEqual((recorded.applied, recorded.state), (True, state))
                self.release(taken, 0)
                parked = self.parked(row)
                self.assertEqual(parked and parked.kind, kind)
                self.assertEqual(self.outbox(), [] if kind else [row["job_id"]])

    def test_one_whose_place_a_newer_job_took_meanwhile_is_announced(self):
        row, _ = self.retry()
        taken = self.take_one(row)
        newer = self.job(phone=self.phone)
        self.assertEqual(self.worker.claim_one(newer).verdict, "send")
        self.assertEqual(self.delivery(row).state, "superseded")
        self.release(taken, 500)  # its worker was told that the phone is busy
        self.assertIsNone(self.parked(row))
        self.assertEqual(self.outbox(), [row["job_id"]])

    def test_doubted_again_it_is_asked_about_with_the_new_times(self):
        row, _ = self.retry()
        taken = self.take_one(row)
        self.worker.record_one(row, self.again(row), "in_doubt")
        parked, stored = self.parked(row), self.delivery(row)
        self.assertEqual((parked.not_after, parked.due_at, parked.asks, parked.lease_until),
                         (stored.not_after, stored.deadline, 0, None))
        self.assertGreater(parked.lease, taken.lease)
        self.assertEqual(self.settle(taken, found("S1")).how, "passed")
        self.age(2)
        self.assertEqual(self.take_one(row).attempt, 2)

    def test_its_claim_is_fenced_like_its_partitions_owner(self):
        row, _ = self.retry()
        row["epoch"] = self.take_one(row).epoch
        answer = self.worker.claim_one(row)
        heir = Worker(self.dbname, "heir")
        self.addCleanup(heir.connection.close)
        self.assertFalse(self.worker.record_one(row, answer, "rejected").applied)
        self.assertEqual(self.worker.claim_one(row).verdict, "fenced")

    def test_a_redelivered_record_and_the_parked_retry_send_once(self):
        row, _ = self.retry()
        taken = self.take_one(row)
        owner, taker = Worker(self.dbname, "owner"), Worker(self.dbname, "taker")
        for worker in (owner, taker):
            self.addCleanup(worker.connection.close)
        row["epoch"] = taker.epochs[0]
        barrier, verdicts = threading.Barrier(2), []

        def claim(worker):
            barrier.wait()
            verdicts.append(worker.claim_one(row))

        claims = [threading.Thread(target=claim, args=(w,)) for w in (owner, taker)]
        for thread in claims:
            thread.start()
        for thread in claims:
            thread.join()
        self.assertEqual(sorted(v.verdict for v in verdicts), ["send", "wait"])
        sent = [v for v in verdicts if v.verdict == "send"][0]
        taker.record_one(row, sent, "sent")
        self.assertEqual({w.claim_one(row).state for w in (owner, taker)}, {"sent"})
        self.release(taken)
        self.assertIsNone(self.parked(row))

    def test_a_redelivered_record_of_a_doubt_is_only_announced(self):
        row, _ = self.doubt()
        answer = self.worker.claim_one(row)
        self.assertEqual((answer.verdict, answer.state), ("known", "in_doubt"))

    def test_a_claim_of_a_taker_that_died_is_doubted_when_its_request_cannot_come(self):
        row, _ = self.retry()
        self.take_one(row)
        self.again(row)
        self.sql("update sendcode.parked set lease_until = now()")
        self.assertEqual(self.take(), [])
        self.assertEqual(self.delivery(row).state, "claimed")
        self.age(20)
        self.sql("update sendcode.parked set deadline = now() + interval '40 s'")
        self.assertEqual(self.take(), [])
        parked = self.parked(row)
        self.assertEqual((self.delivery(row).state, parked.kind), ("in_doubt", "in_doubt"))
        self.assertEqual(self.attempt(row, 2).outcome, "in_doubt")
        self.assertEqual(self.outbox(), [row["job_id"]])
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "busy")
        told = self.ask(row, found("S2", 1))
        self.assertEqual((told.how, told.attempt), ("sent", 2))

    def test_a_claim_known_to_be_unsent_is_tried_again_without_doubt(self):
        row, first = self.retry()
        self.sql("update sendcode.delivery set deadline = now() + interval '1 h'")
        self.take_one(row)
        answer = self.again(row)
        self.worker.take([0])  # its decision is fenced
        self.assertFalse(self.worker.record_one(row, answer, "retry").applied)
        self.age(31)
        taken = self.take_one(row)
        self.assertEqual((taken.kind, taken.attempt), ("retry", 2))
        again = self.again(row)
        self.assertEqual((again.verdict, again.attempt), ("send", 3))
        self.assertEqual(bytes(again.nonce), bytes(first.nonce))

    def test_what_ended_without_its_taker_is_announced_by_the_next_one(self):
        row, _ = self.retry()
        self.take_one(row)
        self.worker.record_one(row, self.again(row), "sent")
        self.age(31)
        self.assertEqual(self.take(), [])
        self.assertIsNone(self.parked(row))
        self.assertEqual(self.outbox(), [row["job_id"]])

    def test_superseded_by_a_newer_job_it_is_announced(self):
        row, _ = self.retry()
        self.assertEqual(self.worker.claim_one(self.another()).verdict, "send")
        self.assertEqual(self.delivery(row).state, "superseded")
        self.take()
        self.assertIsNone(self.parked(row))
        self.assertEqual(self.outbox(), [row["job_id"]])

    def test_rows_that_cannot_be_are_passed_by(self):
        for change in ("update sendcode.delivery set state = 'unknown' where job_id = %s",
                       "update sendcode.delivery set state = 'claimed', takeover_at = null"
                       " where job_id = %s",
                       "delete from sendcode.delivery where job_id = %s"):
            with self.subTest(change=change):
                self.setUp()
                row, _ = self.retry()
                self.sql(change, row["job_id"])
                self.assertEqual(self.take(), [])
                parked = self.parked(row)
                self.assertTrue(30 < seconds(parked.ask_at, now()) <= 60, parked)
                self.sql("update sendcode.parked set due_at = now() - interval '1 s'")
                self.sql("select * from sendcode.sweep()")
                self.assertIsNotNone(self.parked(row))


class Sweep(ParkingTest):
    def sweep(self):
        return self.sql("select * from sendcode.sweep()")[0].in_doubt

    def test_a_retry_that_nobody_claimed_expires_after_its_deadline(self):
        row, answer = self.doubt(cooldown=60)
        self.ask(row)
        self.sql("delete from sendcode.outbox")
        stored = self.delivery(row)
        self.assertEqual(seconds(self.parked(row).due_at, stored.deadline), 5)
        self.assertEqual(self.sweep(), 0)
        self.assertEqual(self.delivery(row).state, "retry")
        self.age(36)
        self.sweep()
        stored = self.delivery(row)
        self.assertEqual((stored.state, stored.reason), ("expired", "deadline"))
        self.assertEqual((self.parked(row), self.outbox()), (None, [row["job_id"]]))
        self.assertEqual(self.verify(answer.nonce).verdict, "none")
        self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).verdict, "send")

    def test_a_claimed_one_is_left_until_its_request_cannot_come_and_then_doubted(self):
        row, _ = self.doubt()
        self.ask(row)
        self.again(row)
        self.sql("update sendcode.parked set due_at = now() - interval '1 s'")
        self.sweep()
        self.assertEqual(self.delivery(row).state, "claimed")
        self.age(21)
        self.sweep()
        self.assertEqual((self.delivery(row).state, self.parked(row).kind),
                         ("in_doubt", "in_doubt"))
        self.age(40)
        self.sweep()
        self.assertEqual(self.delivery(row).state, "unknown")
        self.assertEqual(self.ask(row, found("S2", 1)).state, "sent")

    def test_only_a_job_in_doubt_becomes_unknown(self):
        row, _ = self.doubt()
        self.age(31)
        self.sql("update sendcode.delivery set state = 'sent' where job_id = %s", row["job_id"])
        self.sweep()
        self.assertEqual(self.delivery(row).state, "sent")
        self.assertEqual(self.outbox(), [])

    def test_a_job_leased_at_its_deadline_is_settled_as_unknown(self):
        row, _ = self.doubt()
        taken = self.take_one(row)
        self.age(31)
        self.sweep()
        told = self.settle(taken, found("S1", -31 + 30))
        self.assertEqual((told.how, told.state), ("sent", "sent"))

    def test_retries_are_no_jobs_in_doubt(self):
        row, _ = self.doubt()
        self.assertEqual(self.sweep(), 1)
        self.ask(row)
        self.assertEqual(self.sweep(), 0)

    def test_after_72_hours_nothing_is_parked(self):
        row, _ = self.unknown()
        self.age(72 * 3600)
        self.sweep()
        self.assertIsNone(self.parked(row))


if __name__ == "__main__":
    unittest.main()

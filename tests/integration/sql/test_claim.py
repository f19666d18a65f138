"""sendcode.claim: its verdicts, limits, superseding, busy phones."""
import datetime
import unittest
import uuid

from support import DatabaseTest, TOPIC, ago, now


class Verdicts(DatabaseTest):
    def test_a_new_job_is_sent_with_its_own_code_and_times(self):
        row = self.job(traceparent="00-aa-bb-01", tracestate="k=v", client_ip="192.0.2.7")
        answer = self.worker.claim_one(row)
        self.assertEqual(answer.verdict, "send")
        self.assertEqual((answer.state, answer.seq, answer.attempt), ("claimed", 1, 1))
        self.assertEqual(bytes(answer.nonce), row["nonce"])
        self.assertEqual(bytes(answer.proof), row["proof"])
        self.assertEqual(bytes(answer.key_id), row["key_id"])
        self.assertEqual((answer.code_length, answer.traceparent), (6, "00-aa-bb-01"))
        self.assertEqual(answer.day, row["requested_at"].date())
        self.assertTrue(299_000 < answer.life_ms <= 300_000, answer.life_ms)
        self.assertTrue(50_000 < answer.deadline_in_ms <= 60_000, answer.deadline_in_ms)
        stored = self.delivery(row)
        self.assertEqual(stored.takeover_at - stored.claimed_at, datetime.timedelta(seconds=20))
        self.assertEqual(stored.not_after - stored.claimed_at, datetime.timedelta(seconds=17))

    def test_a_lost_answer_asked_for_again_is_the_same(self):
        row, claim_id = self.job(), uuid.uuid4()
        first = self.worker.claim_one(row, claim_id)
        again = self.worker.claim_one(row, claim_id)
        self.assertEqual(again.verdict, "send")
        for name in ("day", "code_length", "seq", "attempt", "at", "state"):
            self.assertEqual(getattr(again, name), getattr(first, name), name)
        self.assertEqual(bytes(again.nonce), bytes(first.nonce))
        self.assertTrue(0 < again.life_ms <= first.life_ms)
        self.assertEqual(self.challenge().hour_jobs, 1)

    def test_a_lost_answer_whose_code_was_verified_meanwhile_gets_a_new_code(self):
        sent, _ = self.worker.send(self.job())
        row, claim_id = self.job(), uuid.uuid4()
        self.assertEqual(bytes(self.worker.claim_one(row, claim_id).nonce), bytes(sent.nonce))
        self.assertEqual(self.verify(sent.nonce).verdict, "ok")
        again = self.worker.claim_one(row, claim_id)
        self.assertEqual((again.verdict, bytes(again.nonce)), ("send", row["nonce"]))
        self.assertEqual(self.verify(again.nonce).verdict, "ok")

    def test_a_final_job_redelivered_is_known(self):
        row = self.job()
        self.worker.send(row)
        answer = self.worker.claim_one(row)
        self.assertEqual((answer.verdict, answer.state, answer.seq), ("known", "sent", 2))
        self.assertIsNone(answer.nonce)

    def test_a_job_known_from_another_record_is_a_duplicate_whatever_it_says(self):
        row = self.job()
        self.worker.send(row)
        other = self.job(job_id=row["job_id"], phone="+85261234567", scene="register",
                         requested_at=ago(3600 * 20))
        other["deadline"] = now() + datetime.timedelta(seconds=60)
        answer = self.worker.claim_one(other)
        self.assertEqual((answer.verdict, answer.state), ("duplicate", "sent"))
        self.assertEqual((answer.phone, answer.scene), (self.phone, "login"))
        self.worker.claim_one(other)
        rows = self.sql("select what, job_id from sendcode.record_other where \"offset\" = %s",
                        other["offset"])
        self.assertEqual([tuple(r) for r in rows], [("duplicate", row["job_id"])])

    def test_a_job_twice_in_a_batch_is_claimed_once(self):
        first = self.job()
        second = self.job(job_id=first["job_id"], requested_at=first["requested_at"])
        verdicts = [a.verdict for a in self.worker.claim(first, second)]
        self.assertEqual(sorted(verdicts), ["busy", "send"])
        busy = (first, second)[verdicts.index("busy")]
        self.assertEqual(self.worker.claim_one(busy).verdict, "duplicate")

    def test_a_record_ahead_of_its_time_is_future_and_stays_so(self):
        row = self.job(requested_at=now() + datetime.timedelta(seconds=310))
        answer = self.worker.claim_one(row)
        self.assertEqual((answer.verdict, answer.job_id), ("future", None))
        self.assertEqual(self.sql("select count(*) from sendcode.delivery where job_id = %s",
                                  row["job_id"])[0][0], 0)
        self.worker.cursor.execute("select sendcode.note_records(%s, %s, %s, %s, %s, %s)",
                                   (TOPIC, [0], [1], [row["offset"]], ["future"], [None]))
        row["requested_at"] = now()
        self.assertEqual(self.worker.claim_one(row).verdict, "future")

    def test_five_minutes_ahead_is_not_future(self):
        row = self.job(requested_at=now() + datetime.timedelta(seconds=290))
        self.assertEqual(self.worker.claim_one(row).verdict, "send")

    def test_a_passed_deadline_expires(self):
        row = self.job(requested_at=ago(120))
        answer = self.worker.claim_one(row)
        self.assertEqual((answer.verdict, answer.state, answer.reason, answer.attempt),
                         ("decided", "expired", "deadline", 0))
        self.assertEqual(self.worker.claim_one(row).verdict, "known")

    def test_a_record_of_long_ago_expires_under_today_and_is_known_after(self):
        row = self.job(requested_at=ago(86400 * 300),
                       deadline=now() + datetime.timedelta(seconds=60))
        answer = self.worker.claim_one(row)
        self.assertEqual((answer.verdict, answer.state, answer.reason),
                         ("decided", "expired", "deadline"))
        self.assertEqual(answer.day, datetime.datetime.now(datetime.timezone.utc).date())
        self.assertEqual(self.worker.claim_one(row).verdict, "known")

    def test_a_record_of_yesterday_finds_its_job_under_its_own_day(self):
        row = self.job()
        self.worker.send(row)
        old = self.job(job_id=row["job_id"], requested_at=ago(86400 + 60))
        self.assertEqual(self.worker.claim_one(old).verdict, "duplicate")

    def test_a_country_that_is_not_listed_is_limited_without_a_charge(self):
        answer = self.worker.claim_one(self.job(refusal="country"))
        self.assertEqual((answer.verdict, answer.state, answer.reason, answer.retry_after),
                         ("decided", "limited", "country", None))
        self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).verdict, "send")

    def test_rows_are_answered_each_in_its_own_place(self):
        rows = [self.job(phone=f"+861390000{i:04d}") for i in range(100)]
        answers = self.worker.claim(*rows)
        self.assertEqual([a.job_id for a in answers], [r["job_id"] for r in rows])
        self.assertEqual([bytes(a.nonce) for a in answers], [r["nonce"] for r in rows])


class Limits(DatabaseTest):
    def claims(self, **given):
        answer = self.worker.claim_one(row := self.job(**given))
        if answer.verdict == "send":
            self.worker.record_one(row, answer, "sent")
        return answer.state, answer.reason, answer.retry_after

    def test_cooldown_says_how_long(self):
        self.assertEqual(self.claims(cooldown=60)[0], "claimed")
        self.age(20)
        state, reason, retry_after = self.claims(cooldown=60)
        self.assertEqual((state, reason), ("limited", "cooldown"))
        self.assertTrue(38 <= retry_after <= 40, retry_after)
        self.age(40)
        self.assertEqual(self.claims(cooldown=60)[0], "claimed")

    def test_windows_open_with_their_first_job_and_say_how_long(self):
        self.assertEqual(self.claims(per_hour=2)[0], "claimed")
        self.age(3000)
        self.assertEqual(self.claims(per_hour=2)[0], "claimed")
        state, reason, retry_after = self.claims(per_hour=2)
        self.assertEqual((state, reason), ("limited", "per_hour"))
        self.assertTrue(595 <= retry_after <= 600, retry_after)
        self.age(600)
        self.assertEqual(self.claims(per_hour=2)[0], "claimed")

    def test_the_day_has_its_own_window(self):
        self.assertEqual(self.claims(per_day=1)[0], "claimed")
        self.age(7200)
        state, reason, retry_after = self.claims(per_day=1)
        self.assertEqual((state, reason), ("limited", "per_day"))
        self.assertTrue(86400 - 7205 <= retry_after <= 86400 - 7200, retry_after)

    def test_of_several_limits_the_longest_wait_is_told(self):
        self.claims()
        state, reason, retry_after = self.claims(cooldown=60, per_hour=1)
        self.assertEqual((state, reason), ("limited", "per_hour"))
        self.assertGreater(retry_after, 3500)

    def test_limits_are_per_scene(self):
        self.claims(cooldown=60)
        self.assertEqual(self.claims(cooldown=60, scene="register")[0], "claimed")

    def test_a_job_is_charged_once_over_all_its_attempts(self):
        row = self.job()
        for _ in range(3):
            answer = self.worker.claim_one(row)
            self.worker.record_one(row, answer, "retry")
        self.assertEqual((self.challenge().hour_jobs, self.challenge().day_jobs), (1, 1))

    def test_being_limited_costs_nothing(self):
        self.claims()
        for _ in range(3):
            self.assertEqual(self.claims(cooldown=60)[0], "limited")
        self.assertEqual(self.challenge().hour_jobs, 1)

    def test_an_unsent_end_gives_the_cooldown_back_but_not_the_windows(self):
        for state, reason in (("rejected", "number"), ("limited", "provider_limit"),
                              ("expired", "deadline")):
            with self.subTest(state=state):
                self.setUp()
                self.worker.send(self.job(cooldown=60), state, reason=reason)
                self.assertEqual(self.claims(cooldown=60)[0], "claimed")
                self.assertEqual(self.challenge().hour_jobs, 2)

    def test_doubt_gives_nothing_back(self):
        self.worker.send(self.job(cooldown=60), "in_doubt")
        self.assertEqual(self.claims(cooldown=60)[:2], ("limited", "cooldown"))

    def test_a_charge_since_keeps_its_cooldown(self):
        first = self.job()
        answer = self.worker.claim_one(first)
        self.worker.record_one(first, answer, "retry")
        second = self.job()
        self.worker.send(second)
        self.sql("update sendcode.challenge set charged_job_id = 'another' where phone = %s",
                 self.phone)
        self.assertEqual(self.claims(cooldown=60)[:2], ("limited", "cooldown"))


class Superseding(DatabaseTest):
    def waiting(self, **given):
        row = self.job(**given)
        self.worker.send(row, "retry")
        return row

    def test_a_newer_job_takes_the_place_and_the_charge_of_a_waiting_one(self):
        old = self.waiting(cooldown=60)
        new = self.job(cooldown=60, per_hour=1)
        self.assertEqual(self.worker.claim_one(new).verdict, "send")
        self.assertEqual(self.challenge().hour_jobs, 1)
        self.assertEqual(self.challenge().charged_job_id, new["job_id"])
        answer = self.worker.claim_one(old)
        self.assertEqual((answer.verdict, answer.state, answer.reason, answer.seq),
                         ("known", "superseded", "newer_job", 3))

    def test_an_equal_time_is_newer_when_it_is_claimed_later(self):
        old = self.waiting()
        new = self.job(requested_at=old["requested_at"])
        self.assertEqual(self.worker.claim_one(new).verdict, "send")
        self.assertEqual(self.worker.claim_one(old).state, "superseded")

    def test_an_older_job_that_comes_late_is_superseded(self):
        for state in ("claimed", "retry", "in_doubt", "sent"):
            with self.subTest(state=state):
                self.setUp()
                row = self.job()
                answer = self.worker.claim_one(row)
                if state != "claimed":
                    self.worker.record_one(row, answer, state)
                late = self.worker.claim_one(self.job(requested_at=ago(10)))
                self.assertEqual((late.verdict, late.state, late.reason),
                                 ("decided", "superseded", "newer_job"))

    def test_an_older_job_is_sent_once_the_newer_code_is_over(self):
        self.worker.send(self.job())
        self.age(331)
        self.assertEqual(self.worker.claim_one(self.job(requested_at=ago(340),
                         deadline=now() + datetime.timedelta(seconds=60))).verdict, "send")

    def test_another_scene_supersedes_nothing(self):
        old = self.waiting()
        new = self.job(scene="register")
        self.assertEqual(self.worker.claim_one(new).verdict, "send")
        self.assertEqual(self.delivery(old).state, "retry")

    def test_of_two_in_a_batch_the_newer_is_claimed_and_the_older_superseded_next(self):
        older, newer = self.job(requested_at=ago(5)), self.job()
        self.assertEqual([a.verdict for a in self.worker.claim(older, newer)], ["busy", "send"])
        self.assertEqual(self.worker.claim_one(older).state, "superseded")


class BusyPhones(DatabaseTest):
    def test_a_phone_has_one_job_under_way_over_all_scenes(self):
        row = self.job()
        answer = self.worker.claim_one(row)
        for scene in ("login", "register"):
            busy = self.worker.claim_one(self.job(scene=scene))
            self.assertEqual((busy.verdict, busy.job_id), ("busy", None))
        self.worker.record_one(row, answer, "sent")
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "send")

    def test_nothing_is_written_for_a_busy_job(self):
        self.worker.claim_one(self.job())
        row = self.job(scene="register")
        self.worker.claim_one(row)
        self.assertEqual(self.sql("select 1 from sendcode.delivery where job_id = %s",
                                  row["job_id"]), [])
        self.assertEqual(self.sql("select 1 from sendcode.challenge where phone = %s"
                                  " and scene = 'register'", self.phone), [])

    def test_limits_come_before_the_busy_phone(self):
        self.worker.claim_one(self.job(cooldown=60))
        self.assertEqual(self.worker.claim_one(self.job(cooldown=60)).reason, "cooldown")

    def test_a_waiting_job_does_not_keep_its_phone(self):
        self.worker.send(self.job(), "retry")
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "send")

    def test_a_waiting_job_waits_for_its_phone(self):
        row = self.job()
        self.worker.send(row, "retry")
        self.worker.claim_one(self.job(scene="register"))
        self.assertEqual(self.worker.claim_one(row).verdict, "busy")

    def test_doubt_keeps_the_phone_until_its_request_can_no_longer_arrive(self):
        row = self.job()
        self.worker.send(row, "in_doubt")
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "busy")
        self.sql("update sendcode.parked set due_at = now() - interval '1 s' where phone = %s",
                 self.phone)
        self.sql("select * from sendcode.sweep()")
        self.assertEqual(self.delivery(row).state, "unknown")
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "busy")
        self.age(17)
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "send")

    def test_a_held_job_expires_at_its_deadline(self):
        self.worker.claim_one(self.job())
        row = self.job(scene="register")
        self.assertEqual(self.worker.claim_one(row).verdict, "busy")
        row["deadline"] = ago(1)
        self.assertEqual(self.worker.claim_one(row).state, "expired")

    def test_a_claim_that_kafka_forgot_frees_its_phone(self):
        self.worker.claim_one(self.job())
        self.age(72 * 3600 + 1)
        self.assertEqual(self.worker.claim_one(self.job(scene="register")).verdict, "send")

    def test_expired_jobs_of_one_phone_are_decided_together(self):
        rows = [self.job(requested_at=ago(500 + i)) for i in range(5)]
        self.assertEqual({a.state for a in self.worker.claim(*rows)}, {"expired"})


if __name__ == "__main__":
    unittest.main()

"""What auditors read: columns, accounts, days, timelines."""
import unittest

from support import DatabaseTest, TOPIC, Worker, ago, now

COLUMNS = {
    "deliveries": "job_id phone scene state reason seq attempts provider_code serial_no"
                  " requested_at deadline claimed_at accepted_at changed_at receipt_at"
                  " receipt_code retry_after client_ip locale topic partition offset worker",
    "attempts": "job_id attempt at duration_ms outcome http_status provider_code request_id"
                " serial_no fee worker",
    "receipts": "serial_no phone status code user_received_at received_at source match job_id",
    "accounting": "topic partition records jobs duplicates invalid gaps next_offset",
    "other_records": "topic partition offset at what reason job_id",
    "daily": "day scene country_code requested sent delivered undelivered verified rejected"
             " limited superseded expired unknown segments",
    "provider_codes": "provider_code outcome", "latency": "hour scene"}


class Views(DatabaseTest):
    def test_each_has_the_contracts_columns_and_says_what_it_is(self):
        for view, columns in COLUMNS.items():
            rows = self.sql(f"select * from sendcode.{view} limit 0")
            self.assertEqual(rows, [])
            there = [r.attname for r in self.sql(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0",
                f"sendcode.{view}")]
            self.assertEqual([c for c in columns.split() if c not in there], [], view)
            self.assertTrue(self.sql("select obj_description(%s::regclass)",
                                     f"sendcode.{view}")[0][0], view)

    def test_partitions_take_no_lock_that_readers_feel(self):
        reader = Worker(self.dbname, "reader")
        self.addCleanup(reader.connection.close)
        reader.connection.set_session(autocommit=False)
        reader.cursor.execute("select count(*) from sendcode.delivery")
        self.sql("set lock_timeout = '2s'")
        made = self.sql("select sendcode.make_partitions('2031-01-15', 2)")[0][0]
        self.assertEqual(made, 6)
        self.assertEqual(self.sql("select sendcode.make_partitions('2031-01-15', 2)")[0][0], 0)
        reader.connection.rollback()


class Accounts(DatabaseTest):
    def note(self, *notes):
        partition, offset, reason, gap_end = zip(*notes)
        self.worker.cursor.execute(
            "select sendcode.note_records(%s, %s, %s, %s::bigint[], %s::text[], %s::bigint[])",
            (TOPIC, list(partition), [1] * len(notes), list(offset), list(reason), list(gap_end)))

    def account(self, partition):
        return self.sql("select records, jobs, duplicates, invalid, gaps, next_offset"
                        " from sendcode.accounting where topic = %s and partition = %s",
                        TOPIC, partition)[0]

    def test_every_record_is_counted_once_however_often_it_comes(self):
        self.worker.take([3])
        job = self.job(partition=3, offset=0)
        copy = self.job(partition=3, offset=1, job_id=job["job_id"])
        expired = self.job(partition=3, offset=6, requested_at=ago(500))
        for _ in range(2):
            self.note((3, 2, "not_json", None), (3, 3, None, 6))
            self.worker.claim(job)
            self.worker.claim(copy)
            self.worker.claim(expired)
        self.assertEqual(tuple(self.account(3)), (4, 2, 1, 1, 3, 7))
        others = self.sql("select \"offset\", what, reason, job_id from sendcode.other_records"
                          " where partition = 3 order by 1")
        self.assertEqual([tuple(o) for o in others],
                         [(1, "duplicate", None, job["job_id"]), (2, "invalid", "not_json", None)])

    def test_gaps_that_overlap_are_counted_once(self):
        self.worker.take([4])
        self.note((4, 10, None, 15))
        self.note((4, 12, None, 20), (4, 10, None, 13), (4, 30, None, 31))
        self.assertEqual((self.account(4).gaps, self.account(4).next_offset), (11, 31))

    def test_incarnations_are_summed_and_the_last_one_tells_the_offset(self):
        self.worker.take([5])
        self.note((5, 99, "not_json", None))
        self.worker.take([5], restarted=True)
        self.worker.claim(self.job(partition=5, offset=0))
        self.assertEqual(tuple(self.account(5)), (2, 1, 0, 1, 0, 1))

    def test_a_busy_record_is_no_job_yet(self):
        self.worker.take([6])
        self.worker.claim(self.job(partition=6, offset=0))
        self.worker.claim(self.job(partition=6, offset=1, scene="register"))
        self.assertEqual(self.account(6).records, 1)


class Days(DatabaseTest):
    def test_states_verifications_and_segments_are_counted(self):
        sent, _ = self.worker.send(self.job(scene="daily"), fee=2)
        self.verify(sent.nonce, "daily")
        self.worker.send(self.job(scene="daily"), "rejected", reason="number")
        self.worker.claim_one(self.job(scene="daily", requested_at=ago(400)))
        self.worker.claim_one(self.job(scene="daily", phone="+85261234567", refusal="country"))
        rows = self.sql("select * from sendcode.daily where scene = 'daily'"
                        " order by country_code")
        total = {}
        for row in rows:
            for name, value in row._asdict().items():
                if isinstance(value, int) or name == "segments":
                    total[name] = total.get(name, 0) + value
        self.assertEqual({r.country_code for r in rows}, {"852", "86"})
        self.assertEqual({n: v for n, v in total.items() if v},
                         {"requested": 4, "sent": 1, "verified": 1, "rejected": 1, "expired": 1,
                          "limited": 1, "segments": 2})

    def test_country_codes(self):
        for phone, code in (("+8613800138000", "86"), ("+12025550100", "1"), ("+79161234567", "7"),
                            ("+85261234567", "852"), ("+4915112345678", "49"),
                            ("+35312345678", "353"), ("+9611234567", "961")):
            self.assertEqual(self.sql("select sendcode.country_code(%s)", phone)[0][0], code)

    def test_codes_and_latency_are_summed_up(self):
        self.worker.send(self.job(scene="codes"), provider_code="Some.Code")
        row = self.sql("select * from sendcode.provider_codes where provider_code = 'Some.Code'")[0]
        self.assertEqual((row.outcome, row.attempts), ("accepted", 1))
        latency = self.sql("select * from sendcode.latency where scene = 'codes'")[0]
        self.assertEqual(latency.jobs, 1)
        self.assertGreaterEqual(latency.p99_s, latency.p50_s)


class Timeline(DatabaseTest):
    def whats(self, job_or_phone):
        rows = self.sql("select * from sendcode.timeline(%s)", job_or_phone)
        self.assertEqual(rows, sorted(rows, key=lambda r: r.at))
        return [r.what for r in rows]

    def test_a_jobs_way_is_told_in_order(self):
        row = self.job(requested_at=ago(1), deadline=now().replace(year=2100))
        answer = self.worker.claim_one(row)
        self.worker.record_one(row, answer, "retry")
        answer = self.worker.claim_one(row)
        self.worker.record_one(row, answer, "sent")
        self.worker.claim_one(self.job(job_id=row["job_id"]))
        self.verify(answer.nonce)
        self.assertEqual(self.whats(row["job_id"]), ["requested", "attempt", "claimed", "attempt",
                                                     "sent", "duplicate_record", "verified"])

    def test_a_phones_jobs_and_wrong_tries_are_told_together(self):
        sent, _ = self.worker.send(self.job())
        self.verify(b"x")
        limited = self.worker.claim_one(self.job(cooldown=60))
        rows = self.sql("select * from sendcode.timeline(%s)", self.phone)
        self.assertEqual({r.job_id for r in rows}, {sent.job_id, limited.job_id, None})
        self.assertIn("wrong_try", [r.what for r in rows])
        told = {r.what: r.detail for r in rows}
        self.assertEqual(told["sent"], "Ok, change 2")
        self.assertRegex(told["limited"], "^cooldown, try again in [0-9]+ s, change 1$")

    def test_nothing_is_told_of_the_unknown(self):
        self.assertEqual(self.whats("no-such-job"), [])
        self.assertEqual(self.whats("+19999999999"), [])


if __name__ == "__main__":
    unittest.main()

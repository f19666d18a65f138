"""The record explains itself: comments, carriers' codes, a job's way with its receipts."""
import datetime
import unittest

from support import DatabaseTest, ago, now

VIEWS = ("deliveries", "attempts", "receipts", "accounting", "other_records", "daily",
         "provider_codes", "latency")


class Told(DatabaseTest):
    def receive(self, serial_no, status="SUCCESS", code="DELIVRD", at=None):
        self.sql("select sendcode.store_receipts('callback', %s, %s, %s, %s, array[null::text],"
                 " %s::timestamptz[], array['{}'])", [serial_no], [self.phone], [status], [code],
                 [at or now()])
        return self.sql("select * from sendcode.join_receipts(100)")[0]

    def told(self, job_or_phone):
        rows = self.sql("select * from sendcode.timeline(%s)", job_or_phone)
        self.assertEqual(rows, sorted(rows, key=lambda r: r.at))
        return rows

    def test_each_view_and_each_column_says_what_it_is(self):
        for view in VIEWS:
            silent = self.sql(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0"
                " and coalesce(length(col_description(attrelid, attnum)), 0) < 8",
                f"sendcode.{view}")
            self.assertEqual(silent, [], view)
            self.assertGreater(len(self.sql("select obj_description(%s::regclass)",
                                            f"sendcode.{view}")[0][0]), 30, view)

    def test_the_carriers_codes_have_a_kind_and_words(self):
        known = dict(self.sql("select code, kind from sendcode.receipt_code"))
        self.assertEqual(len(known), 304)  # of the list's 307 lines, two codes stand in several
        for code, kind in (("DELIVRD", "DELIVERED"), ("MOBILE BLACK", "BLACKLIST"),
                           ("-106", "CONTENT_BLOCKED"), ("DB00144", "BLACKLIST")):
            self.assertEqual(known[code], kind)
        self.assertEqual(self.sql("select * from sendcode.receipt_code where meaning is null"
                                  " or kind !~ '^[A-Z_]+$'"), [])

    def test_a_delivery_is_told_with_the_times_of_each_step_and_its_code_explained(self):
        row = self.job(requested_at=ago(2))
        answer, _ = self.worker.send(row)
        serial_no = self.delivery(row).serial_no
        at = now() + datetime.timedelta(seconds=3)
        self.assertEqual(self.receive(serial_no, at=at).joined, 1)
        self.receive(serial_no, at=at)
        self.verify(answer.nonce)
        rows = self.told(row["job_id"])
        # The tests' worker counts its attempt's age from the call: at the claim, or just before.
        self.assertEqual(set(r.what for r in rows[:3]), {"requested", "claimed", "attempt"})
        self.assertEqual([r.what for r in rows[3:]],
                         ["sent", "receipt", "delivered", "receipt", "verified"])
        self.assertEqual([r.at for r in rows if r.what == "sent"],
                         [self.delivery(row).accepted_at])
        receipts = [r.detail for r in rows if r.what == "receipt"]
        self.assertIn("SUCCESS, DELIVRD: the phone has it", receipts[0])
        self.assertIn(at.strftime("the carrier says at %Y-%m-%dT%H:%M:%SZ"), receipts[0])
        self.assertIn("not the first", receipts[1])
        self.assertEqual(rows, self.told(self.phone))

    def test_an_undelivered_one_says_why_in_views_and_timeline(self):
        row = self.job()
        self.worker.send(row)
        self.receive(self.delivery(row).serial_no, "FAIL", "-106")
        self.assertIn("carrier, -106: the carrier let the content not pass",
                      [r.detail for r in self.told(row["job_id"]) if r.what == "undelivered"][0])
        told = self.sql("select d.receipt_kind, r.kind, r.match from sendcode.deliveries d"
                        " join sendcode.receipts r using (job_id) where d.job_id = %s",
                        row["job_id"])
        self.assertEqual([tuple(t) for t in told],
                         [("CONTENT_BLOCKED", "CONTENT_BLOCKED", "joined")])

    def test_a_phones_jobs_are_found_by_its_whole_number(self):
        rows = [self.job(), self.job(scene="other")]
        self.worker.send(rows[0])
        self.worker.send(rows[1])
        found = self.sql("select d.job_id from sendcode.phone_jobs(%s) join sendcode.deliveries d"
                         " using (job_id, day)", self.phone)
        self.assertEqual({f.job_id for f in found}, {r["job_id"] for r in rows})

    def test_segments_count_every_accepted_message_once(self):
        row = self.job(scene="twice")
        answer, _ = self.worker.send(row, fee=2)
        self.worker.record(self.worker.result(row, answer, "sent", attempt=2, fee=3,
                                              serial_no="another"))
        day = self.sql("select sent, segments, unpriced from sendcode.daily where scene = 'twice'")
        self.assertEqual([tuple(d) for d in day], [(1, 5, 0)])

    def test_a_day_is_read_by_its_pages_and_without_the_other_months(self):
        plan = "\n".join(r[0] for r in self.sql(
            "explain select * from sendcode.daily where day = (now() at time zone 'UTC')::date"))
        # Pruned when it runs: the months are there to be left out, and each by its day's pages.
        self.assertIn("Subplans Removed", plan)
        literal = "\n".join(r[0] for r in self.sql(
            "set enable_seqscan = off; set enable_indexscan = off; set enable_indexonlyscan = off;"
            " explain select * from sendcode.daily where day = '%s'" % now().date()))
        self.sql("reset all")
        self.assertIn(now().strftime("delivery_%Y%m"), literal)
        self.assertIn("day_idx", literal)


if __name__ == "__main__":
    unittest.main()

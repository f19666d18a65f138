"""Receipts that workers ask for: from the account's queue, one worker at a time, and by number for
deliveries whose receipt is overdue."""
import unittest

from parking import found
from receiving import ReceivingTest
from support import now

OVERDUE_S = 60


class Asked(ReceivingTest):
    def setUp(self):
        super().setUp()
        self.sql("delete from sendcode.receipt_overdue")
        self.sql("update sendcode.overdue_position set recorded_at = now() - interval '1 hour'")
        self.sql("update sendcode.delivery set state = 'delivered' where state = 'sent'")
        self.sql("update sendcode.receipt_pull set until = '-infinity'")

    def store(self, source, *receipts):
        """SerialNo, phone, status of each."""
        serials, phones, statuses = (list(column) for column in zip(*receipts))
        n = len(receipts)
        self.sql("select sendcode.store_receipts(%s, %s, %s, %s, %s::text[], %s::text[],"
                 " %s::timestamptz[], %s)", source, serials, phones, statuses, ["DELIVRD"] * n,
                 [None] * n, [now()] * n, ['{"é": 1}'] * n)

    def pull(self, worker, lease_ms=10000):
        return self.sql("select sendcode.take_pull(%s, %s)", worker, lease_ms)[0][0]

    def overdue(self, limit=10, seconds=OVERDUE_S):
        return [r.job_id for r in self.sql("select * from sendcode.overdue_receipts(%s, %s)",
                                           limit, seconds)]

    def later(self, seconds):
        self.sql("update sendcode.receipt_overdue set ask_at = ask_at - %s * interval '1 s'",
                 seconds)

    def sent_before(self, seconds, **given):
        row, serial = self.sent(**given)
        self.sql("update sendcode.attempt set recorded_at = recorded_at - %s * interval '1 s'"
                 " where job_id = %s", seconds, row["job_id"])
        return row, serial

    def test_they_are_kept_as_they_came_and_joined(self):
        row, serial = self.sent()
        self.store("pull", (serial, self.phone, "SUCCESS"), ("S-x", self.phone, "FAIL"))
        self.assertEqual(self.join()[0], 1)
        self.assertEqual(self.state(row), "delivered")
        self.assertEqual([(r.source, bytes(r.raw).decode()) for r in self.receipts()],
                         [("pull", '{"é": 1}')] * 2)

    def test_one_that_cannot_be_understood_is_kept_with_the_reason(self):
        self.sql("select sendcode.store_receipts('pull', %s::text[], %s::text[], %s::text[],"
                 " %s::text[], %s::text[], %s::timestamptz[], %s, %s)", *[[None]] * 6, ["7"],
                 ["it is no object"])
        self.assertEqual(self.join(), (0, 0, 0, 0))
        self.assertEqual(self.receipts()[0].fault, "it is no object")

    def test_what_was_asked_for_by_number_is_kept_once(self):
        _, serial = self.sent()
        for _ in range(2):
            self.store("by_number", (serial, self.phone, "SUCCESS"))
            self.join()
        self.store("by_number", (serial, self.phone, "FAIL"), (serial, "+8613999999999", "FAIL"))
        self.store("pull", (serial, self.phone, "SUCCESS"))
        self.assertEqual([(r.source, r.status) for r in self.receipts()],
                         [("by_number", "SUCCESS"), ("by_number", "FAIL"), ("by_number", "FAIL"),
                          ("pull", "SUCCESS")])

    def test_one_worker_pulls_at_a_time(self):
        self.assertTrue(self.pull("a"))
        self.assertFalse(self.pull("b"))
        self.assertTrue(self.pull("a", 0))
        self.assertTrue(self.pull("b"))
        self.assertFalse(self.pull("a"))

    def test_a_delivery_is_overdue_that_was_accepted_so_long_ago_without_a_receipt(self):
        overdue, _ = self.sent_before(OVERDUE_S + 1)
        self.sent_before(OVERDUE_S - 20, scene="young")
        delivered, serial = self.sent_before(OVERDUE_S + 1, scene="delivered")
        self.store("pull", (serial, self.phone, "SUCCESS"))
        self.join()
        self.assertEqual(self.state(delivered), "delivered")
        self.sent_before(8 * 86400, scene="old")
        self.worker.send(self.job(scene="refused"), "rejected")
        row = self.sql("select * from sendcode.overdue_receipts(10, %s)", OVERDUE_S)
        self.assertEqual([(r.job_id, r.phone, r.scene, r.accepted_at) for r in row],
                         [(overdue["job_id"], self.phone, "login",
                           self.delivery(overdue).accepted_at)])
        self.assertEqual(self.overdue(), [])

    def test_it_is_asked_about_later_and_later_and_six_times_in_all(self):
        row, _ = self.sent_before(OVERDUE_S + 1)
        waits = []
        while self.overdue():
            left = self.sql("select extract(epoch from ask_at - now())::int as s"
                            " from sendcode.receipt_overdue")
            waits += [round(r.s, -1) for r in left]
            self.assertEqual(self.overdue(), [])
            self.later(3 * 86400)
        self.assertEqual(waits, [600, 3600, 21600, 86400, 3 * 86400])
        self.assertEqual((self.sql("select 1 from sendcode.receipt_overdue"), self.state(row)),
                         ([], "sent"))

    def test_no_more_are_told_than_are_asked_for_and_none_is_lost(self):
        rows = [self.sent_before(OVERDUE_S + 1, phone=f"+86136{n:08d}")[0] for n in range(5)]
        told = [self.overdue(2) for _ in range(4)]
        self.assertEqual([len(t) for t in told], [2, 2, 1, 0])
        self.assertEqual({j for t in told for j in t}, {r["job_id"] for r in rows})

    def test_those_that_have_their_receipt_by_now_take_no_place(self):
        rows = [self.sent_before(OVERDUE_S + 1, phone=f"+86135{n:08d}") for n in range(4)]
        self.assertEqual(len(self.overdue()), 4)
        for row, serial in rows[:3]:
            self.store("by_number", (serial, row["phone"], "SUCCESS"))
        self.join()
        self.later(600)
        self.assertEqual(self.overdue(1), [rows[3][0]["job_id"]])

    def test_nobody_is_asked_about_a_phone_that_was_erased(self):
        """Tencent knows no pseudonym; and its refusal would hold up what is asked for others."""
        self.sent_before(OVERDUE_S + 10)
        self.assertEqual(len(self.overdue()), 1)
        self.sent_before(OVERDUE_S + 5)
        self.later(601)
        self.sql("select * from sendcode.erase(%s)", self.phone)
        self.assertEqual(self.overdue(), [])
        self.assertEqual(self.sql("select * from sendcode.receipt_overdue"), [])

    def test_one_that_was_settled_late_is_found_too(self):
        row, _ = self.doubt()
        self.assertEqual(self.overdue(seconds=0), [])
        self.assertEqual(self.ask(row, found("S1")).how, "sent")
        self.assertEqual(self.overdue(seconds=0), [row["job_id"]])


if __name__ == "__main__":
    unittest.main()

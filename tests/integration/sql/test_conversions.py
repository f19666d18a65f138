"""Verified codes that workers take to report them: each once, in order, when they are over."""
import unittest

from receiving import ReceivingTest
from support import connect

AFTER_S = 60


class Conversions(ReceivingTest):
    def setUp(self):
        super().setUp()
        self.sql("update sendcode.attempt set recorded_at = recorded_at - interval '30 days'")
        self.sql("update sendcode.conversion_position"
                 " set recorded_at = now() - interval '1 hour', job_id = ''")

    def converted(self, seconds, verified=True, **given):
        row, serial = self.sent(**given)
        self.sql("update sendcode.attempt set recorded_at = now() - %s * interval '1 s'"
                 " where job_id = %s", seconds, row["job_id"])
        if verified:
            self.sql("update sendcode.delivery set verified_at = now() where job_id = %s",
                     row["job_id"])
        return serial

    def take(self, limit=10, after_s=AFTER_S):
        return [r.serial_no for r in self.sql("select * from sendcode.take_conversions(%s, %s)",
                                              limit, after_s)]

    def test_each_is_handed_out_once_in_the_order_of_acceptance(self):
        serials = [self.converted(100 - i, scene=f"s{i}") for i in range(5)]
        self.converted(80, verified=False, scene="not")
        young = self.converted(AFTER_S - 5, scene="young")
        self.assertEqual(self.take(2), serials[:2])
        self.assertEqual(self.take(2), serials[2:4])
        self.assertEqual(self.take(2), serials[4:])
        self.assertEqual(self.take(), [])
        self.assertEqual(self.take(after_s=10), [young])
        self.assertEqual(self.take(after_s=10), [])

    def test_those_accepted_at_the_same_time_are_not_missed(self):
        serials = {self.converted(100, scene=f"s{i}") for i in range(5)}
        self.sql("update sendcode.attempt set recorded_at = now() - interval '5 minutes'"
                 " where serial_no = any(%s)", list(serials))
        taken = [self.take(2) for _ in range(4)]
        self.assertEqual([len(t) for t in taken], [2, 2, 1, 0])
        self.assertEqual({s for t in taken for s in t}, serials)

    def test_what_is_older_than_a_week_is_left(self):
        self.converted(8 * 86400)
        self.sql("update sendcode.conversion_position set recorded_at = now() - interval '20 d'")
        self.assertEqual(self.take(), [])

    def test_many_that_are_not_verified_are_passed_by_in_one_call(self):
        row, _ = self.sent(scene="many")
        self.sql("insert into sendcode.attempt (job_id, day, attempt, at, recorded_at, outcome,"
                 " moved, worker) select job_id, day, 100 + i, at,"
                 " now() - interval '10 minutes' + i * interval '1 ms', 'accepted', false, 'w'"
                 " from sendcode.attempt, generate_series(1, 5000) i where job_id = %s",
                 row["job_id"])
        serial = self.converted(100, scene="last")
        self.assertEqual(self.take(), [serial])

    def test_one_takes_at_a_time(self):
        serial = self.converted(100)
        other = connect(self.dbname)
        other.autocommit = False
        with other.cursor() as c:
            c.execute("select * from sendcode.conversion_position for update")
        self.assertEqual(self.take(), [])
        other.rollback()
        other.close()
        self.assertEqual(self.take(), [serial])


if __name__ == "__main__":
    unittest.main(verbosity=2)

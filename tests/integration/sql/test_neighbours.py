"""Workers of two versions on the newer schema, and what was there before it came."""
import unittest

from parking import ParkingTest, found, refused
from support import DatabaseTest, migrate, migrations


class Neighbours(ParkingTest):
    """The worker before this schema's: it claims, records and sweeps, and takes nothing."""

    first_migrations = 11
    old_worker = True

    def setUp(self):
        DatabaseTest.setUp(self)

    def test_it_works_on_while_the_schema_grows_and_new_workers_settle_its_doubts(self):
        row, answer = self.doubt(resend_same=False)
        migrate(self.dbname, migrations()[11:])
        self.assertIsNotNone(self.parked(row).code_id)
        self.sql("update sendcode.parked set ask_at = now()")
        self.assertEqual(self.ask(row, found("S1")).how, "sent")
        self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])
        # Its connection, prepared statements and all, is the one from before.
        old, _ = self.doubt()
        self.assertEqual(self.ask(old).state, "retry")
        other, _ = self.doubt(scene="register")
        self.assertEqual(self.ask(other, refused("rejected", "number")).state, "rejected")
        self.age(100)
        self.worker.cursor.execute("select * from sendcode.sweep()")
        self.assertEqual(self.delivery(old).state, "expired")
        self.worker.cursor.execute("select * from sendcode.outbox_take(100)")
        self.assertEqual({r.job_id for r in self.worker.cursor.fetchall()},
                         {row["job_id"], old["job_id"], other["job_id"]})

    def test_rows_of_a_call_that_the_migration_overtook_are_settled_as_well(self):
        row, answer = self.doubt()
        self.sql("update sendcode.parked set topic = null, code_id = null")
        self.assertEqual(self.ask(row, found("S1")).how, "sent")
        self.assertEqual(self.verify(answer.nonce).job_id, row["job_id"])


if __name__ == "__main__":
    unittest.main()

"""Erasing a phone leaves it nowhere, and the accounts whole."""
import unittest

import psycopg2

from receiving import ReceivingTest, receipt


class Erase(ReceivingTest):
    def tables_with_the_phone(self):
        found = []
        for (table,) in self.sql(
                "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                " where n.nspname = 'sendcode' and c.relkind in ('r', 'p') and not c.relispartition"):
            if self.sql(f"select count(*) from sendcode.{table} t where t::text like %s"
                        " or t::text like %s", f"%{self.phone[1:]}%",
                        f"%{self.phone[3:].encode().hex()}%")[0][0]:
                found.append(table)
        return found

    def test_the_phone_is_nowhere_and_the_accounts_stay(self):
        row, serial = self.sent()
        self.receive(receipt(serial, self.phone), receipt("foreign", self.phone))
        self.join()
        self.sql("insert into sendcode.wrong_try values (%s, 'login', now(), '192.0.2.1')",
                 self.phone)
        daily = self.sql("select * from sendcode.daily")
        accounts = self.sql("select * from sendcode.accounting")
        self.assertIn("delivery", self.tables_with_the_phone())
        said = dict(self.sql("select place, rows from sendcode.erase(%s)", self.phone))
        self.assertEqual(said, {"deliveries (phone, client_ip, trace)": 1,
                                "receipts (phone, description, raw)": 2,
                                "challenges": 1, "wrong tries": 1, "phone limits": 1})
        self.assertEqual(self.tables_with_the_phone(), [])
        self.assertEqual(self.sql("select * from sendcode.daily"), daily)
        self.assertEqual(self.sql("select * from sendcode.accounting"), accounts)
        self.assertEqual(self.state(row), "delivered")

    def test_a_job_that_is_not_decided_keeps_the_phone(self):
        row = self.job()
        self.worker.claim_one(row)
        with self.assertRaises(psycopg2.Error) as refused:
            self.sql("select * from sendcode.erase(%s)", self.phone)
        self.assertEqual(refused.exception.pgcode, "55006")
        self.assertIn("delivery", self.tables_with_the_phone())

    def test_what_is_no_phone_is_refused_clearly(self):
        for phone in (None, "", "13800138000", "+0123456789"):
            with self.assertRaises(psycopg2.Error) as refused:
                self.sql("select * from sendcode.erase(%s)", phone)
            self.assertEqual(refused.exception.pgcode, "22023")


if __name__ == "__main__":
    unittest.main()

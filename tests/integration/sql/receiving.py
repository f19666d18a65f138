"""Receipts for tests: stored as the receiver stores them, joined as workers do."""
from parking import ParkingTest
from support import now

STORE = ("insert into sendcode.receipt (source, serial_no, phone, status, code, description,"
         " user_received_at, raw, fault) select 'callback', a.* from unnest(%s::text[], %s::text[],"
         " %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bytea[], %s::text[]) a")


def receipt(serial_no, phone, status="SUCCESS", code=None, at=None, fault=None):
    code = code or {"SUCCESS": "DELIVRD", "FAIL": "UNDELIV"}.get(status)
    return serial_no, phone, status, code, "text", at or now(), b"{}", fault


class ReceivingTest(ParkingTest):
    def setUp(self):
        super().setUp()
        self.sql("delete from sendcode.receipt")

    def receive(self, *receipts):
        """One callback."""
        self.sql(STORE, *[list(column) for column in zip(*receipts)])

    def join(self, limit=100, cursor=None):
        """What is due: joined, repeats, orphans, waiting."""
        text = "select * from sendcode.join_receipts(%s)"
        if cursor is None:
            return tuple(self.sql(text, limit)[0])
        cursor.execute(text, (limit,))
        return tuple(cursor.fetchone())

    def look(self, times=1):
        """The same when all back-offs are over; what the last look did."""
        for _ in range(times):
            self.sql("update sendcode.receipt set ask_at = now() - interval '1 s'"
                     " where ask_at is not null")
            counts = self.join()
        return counts

    def receipts(self):
        return self.sql("select * from sendcode.receipt order by id")

    def matches(self):
        return [r.match for r in self.receipts()]

    def sent(self, **given):
        """A job that was sent, with its SerialNo."""
        row = self.job(**given)
        _, told = self.worker.send(row)
        return row, told.serial_no

    def state(self, row):
        return self.delivery(row).state

"""Parked jobs for tests: made, taken, settled with what a provider says, released."""
import datetime
import uuid

from support import DatabaseTest, TOPIC

GRACE_MS = 5000


def found(serial_no, at=0.0, accepted=True, state=None, reason=None, code="Ok"):
    """A provider's record, that many seconds after the job's claim."""
    return serial_no, at, accepted, state, reason, code


def refused(state, reason=None, code="X.Y", at=0.0, serial_no=""):
    return found(serial_no, at, False, state, reason, code)


class ParkingTest(DatabaseTest):
    def setUp(self):
        super().setUp()
        self.sql("delete from sendcode.parked")
        self.sql("delete from sendcode.outbox")
        self.sql("update sendcode.pace set asked_at = '{}'")

    def doubt(self, age=30, **given):
        """A job in doubt whose silence means something: its row and what its claim answered."""
        row = self.job(**given)
        answer, _ = self.worker.send(row, "in_doubt", http_status=0, fee=0)
        self.age(age)
        return row, answer

    def unknown(self, **given):
        """A job that ended unknown half a minute after its claim."""
        row, answer = self.doubt(**given)
        self.sql("update sendcode.parked set due_at = now() - interval '1 s' where job_id = %s",
                 row["job_id"])
        self.sql("select * from sendcode.sweep()")
        self.assertEqual(self.delivery(row).state, "unknown")
        return row, answer

    def take(self, doubts=10, retries=10, lease_ms=30000, per_s=1000, topic=TOPIC, cursor=None):
        text = "select * from sendcode.take_parked('settler', %s, %s, %s, %s, %s, %s)"
        args = (topic, doubts, retries, lease_ms, per_s, GRACE_MS)
        if cursor is None:
            return self.sql(text, *args)
        cursor.execute(text, args)
        return cursor.fetchall()

    def take_one(self, row):
        taken = [t for t in self.take() if t.job_id == row["job_id"]]
        self.assertEqual(len(taken), 1)
        return taken[0]

    def settle(self, taken, *records, whole=True, resend=True, why=None, cursor=None, **other):
        """Answers about a taken job; the records' times count from its claim."""
        ms = [None if r[1] is None else round(r[1] * 1000) - taken.claimed_ago_ms
              for r in records]
        columns = [[r[i] for r in records] for i in (0, 2, 3, 4, 5)]
        columns.insert(1, ms)
        given = {"lease": taken.lease, "attempt": taken.attempt, **other}
        text = ("select * from sendcode.settle('settler', %s, %s, %s, %s, %s, %s, %s, %s,"
                " %s::text[], %s::bigint[], %s::bool[], %s::text[], %s::text[], %s::text[])")
        args = (taken.job_id, taken.day, given["lease"], given["attempt"], GRACE_MS, resend,
                whole, why, *columns)
        if cursor is None:
            return self.sql(text, *args)[0]
        cursor.execute(text, args)
        return cursor.fetchone()

    def ask(self, row, *records, **given):
        """Takes the job at once, whatever its back-off or lease, and settles it."""
        self.sql("update sendcode.parked set ask_at = now() - interval '1 ms', lease_until = null"
                 " where job_id = %s", row["job_id"])
        return self.settle(self.take_one(row), *records, **given)

    def release(self, taken, wait_ms=0):
        self.sql("select sendcode.release_parked(%s, %s::date[], %s::bigint[], %s::bigint[])",
                 [taken.job_id], [taken.day], [taken.lease], [wait_ms])

    def parked(self, row):
        rows = self.sql("select * from sendcode.parked where job_id = %s", row["job_id"])
        return rows[0] if rows else None

    def attempt(self, row, number=1):
        return self.sql("select * from sendcode.attempt where job_id = %s and attempt = %s",
                        row["job_id"], number)[0]

    def outbox(self):
        return [r.job_id for r in self.sql("select job_id from sendcode.outbox order by id")]

    def again(self, row):
        """The job's record as whoever took its retry claims it."""
        row["epoch"] = self.worker.epochs[row["partition"]]
        return self.worker.claim_one(row)

    def another(self, **given):
        """The phone's next job, after the last one's request can arrive no longer."""
        return self.job(job_id=str(uuid.uuid4()), **given)

    def assert_waits(self, waits, wanted):
        """Counted from the leases, so that each may be longer by what settling took."""
        self.assertEqual([w for w, least in zip(waits, wanted) if not least <= w < least + 20], [])
        self.assertEqual(len(waits), len(wanted))


def seconds(later, earlier):
    return (later - earlier) / datetime.timedelta(seconds=1)

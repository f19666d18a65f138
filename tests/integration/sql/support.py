"""A fresh database with the schema for each test class, and the worker's calls with defaults.

SENDCODE_TEST_DSN names a superuser of a private cluster.
"""
import datetime
import hashlib
import os
import pathlib
import unittest
import uuid

import psycopg2
import psycopg2.extras
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, make_dsn

SCHEMA = pathlib.Path(__file__).resolve().parents[3] / "schema"
DSN = os.environ["SENDCODE_TEST_DSN"]
TOPIC = "sendcode.jobs"
KEY_ID = b"key1"
UTC = datetime.timezone.utc

psycopg2.extras.register_uuid()


def connect(dbname):
    connection = psycopg2.connect(make_dsn(DSN, dbname=dbname),
                                  cursor_factory=psycopg2.extras.NamedTupleCursor)
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    return connection


def migrations():
    """The files in order, checked to be numbered without a gap."""
    files = sorted(SCHEMA.glob("[0-9]*.sql"))
    numbers = [int(f.name[:4]) for f in files]
    assert numbers == list(range(numbers[0], numbers[0] + len(files))), files
    return files


def functions():
    """The files that are applied anew with each version, in sendcodectl's order."""
    return [*sorted(SCHEMA.glob("functions/*.sql")), *sorted(SCHEMA.glob("views/*.sql")),
            SCHEMA / "receipt_codes.sql", SCHEMA / "rights.sql"]


def ask_server(statement):
    connection = connect("postgres")
    connection.cursor().execute(statement)
    connection.close()


def create_database():
    """With the whole schema."""
    name = "sql_" + uuid.uuid4().hex[:12]
    ask_server(f"create database {name}")
    connection = connect(name)
    with connection.cursor() as cursor:
        cursor.execute("begin; set local check_function_bodies = off;"
                       + "".join(f.read_text() for f in [*migrations(), *functions()])
                       + "insert into sendcode.schema_migration select "
                       + f"{int(migrations()[-1].name[:4])}, 'all', '', now(), ''; commit")
    connection.close()
    return name


def drop_database(name):
    ask_server(f"drop database {name} with (force)")


def now():
    return datetime.datetime.now(UTC)


def ago(seconds):
    return now() - datetime.timedelta(seconds=seconds)


def code_of(nonce):
    """What a verifier presents for a nonce in these tests, and what is stored of it."""
    digest = hashlib.sha256(b"digest" + nonce).digest()
    return digest, hashlib.sha256(digest).digest()


CLAIM_COLUMNS = [
    ("partition", "int"), ("offset", "bigint"), ("incarnation", "int"), ("epoch", "bigint"),
    ("job_id", "text"), ("phone", "text"), ("scene", "text"), ("requested_at", "timestamptz"),
    ("deadline", "timestamptz"), ("locale", "text"), ("client_ip", "text"), ("traceparent", "text"),
    ("tracestate", "text"), ("refusal", "text"), ("ttl", "int"), ("resend_same", "bool"),
    ("code_length", "int"), ("cooldown", "int"), ("per_hour", "int"), ("per_day", "int"),
    ("max_tries", "int"), ("tries_window", "int"), ("max_tries_day", "int"), ("nonce", "bytea"),
    ("proof", "bytea"), ("key_id", "bytea")]

RECORD_COLUMNS = [
    ("job_id", "text"), ("day", "date"), ("partition", "int"), ("epoch", "bigint"),
    ("attempt", "int"), ("age_ms", "bigint"), ("duration_ms", "int"), ("outcome", "text"),
    ("state", "text"), ("reason", "text"), ("retry_after", "int"), ("http_status", "int"),
    ("provider_code", "text"), ("request_id", "text"), ("serial_no", "text"), ("fee", "int"),
    ("proof", "bytea")]


LIMITS = ("phone_per_day", "address_per_hour", "address_per_day", "provider_per_day",
          "provider_interval")


def prepared_call(function, head, columns, tail=()):
    """Statements that prepare a call and execute it, as the worker does."""
    types = head + [sql_type + "[]" for _, sql_type in columns] + list(tail)
    numbers = ", ".join(f"${n + 1}" for n in range(len(types)))
    marks = ", ".join(["%s"] * len(types))
    return (f"prepare {function}({', '.join(types)}) as"
            f" select * from sendcode.{function}({numbers})", f"execute {function}({marks})")


PREPARE_CLAIM, CLAIM = prepared_call(
    "claim", ["uuid", "text", "text", "int", "int", "bytea[]"], CLAIM_COLUMNS, ["int"] * len(LIMITS))
PREPARE_RECORD, RECORD = prepared_call("record", ["text", "text"], RECORD_COLUMNS)
OUTCOME_OF = {"sent": "accepted", "retry": "not_sent", "expired": "not_sent", "rejected": "refused",
              "limited": "refused", "in_doubt": "in_doubt"}


def array_text(values):
    """An array in text form: as cheap for the server to read as the worker's binary ones."""
    def element(value):
        if value is None:
            return "NULL"
        if isinstance(value, (bytes, memoryview)):
            return '"\\\\x' + bytes(value).hex() + '"'
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "{" + ",".join(element(v) for v in values) + "}"


class Worker:
    """One worker's connection: owns partitions, claims jobs and records results."""

    def __init__(self, dbname, name="w1", partitions=(0,)):
        self.name = name
        self.limits = dict.fromkeys(LIMITS, 0)
        self.connection = connect(dbname)
        self.cursor = self.connection.cursor()
        self.cursor.execute(PREPARE_CLAIM + ";" + PREPARE_RECORD)
        self.takeover_ms = 20000
        self.not_after_ms = 17000
        self.known_keys = [KEY_ID]
        self.offsets = {}
        self.epochs = {}
        self.incarnations = {}
        self.take(partitions)

    def take(self, partitions, restarted=False):
        self.cursor.execute("select * from sendcode.take_epochs(%s, %s, %s, %s)",
                            (TOPIC, list(partitions), [restarted] * len(partitions), self.name))
        rows = self.cursor.fetchall()
        for row in rows:
            self.epochs[row.part] = row.epoch
            self.incarnations[row.part] = row.incarnation
            self.offsets.setdefault(row.part, row.next_offset)
        return rows

    def job(self, phone="+8613800138000", **given):
        """A claim's row: a new record with a job of its own unless told otherwise."""
        partition = given.get("partition", 0)
        if "offset" not in given:
            given["offset"] = self.offsets.get(partition, 0)
            self.offsets[partition] = given["offset"] + 1
        nonce = given.get("nonce") or os.urandom(16)
        requested_at = given.get("requested_at") or now()
        row = {
            "partition": partition, "incarnation": self.incarnations.get(partition, 1),
            "epoch": self.epochs.get(partition, 0), "job_id": str(uuid.uuid4()), "phone": phone,
            "scene": "login", "requested_at": requested_at,
            "deadline": requested_at + datetime.timedelta(seconds=60), "locale": None,
            "client_ip": None, "traceparent": None, "tracestate": None, "refusal": None, "ttl": 300,
            "resend_same": True, "code_length": 6, "cooldown": 0, "per_hour": 0, "per_day": 0,
            "max_tries": 5, "tries_window": 3600, "max_tries_day": 20, "nonce": nonce,
            "proof": code_of(nonce)[1], "key_id": KEY_ID}
        row.update(given)
        return row

    def claim(self, *rows, claim_id=None):
        self.cursor.execute(CLAIM, [
            claim_id or uuid.uuid4(), self.name, TOPIC, self.takeover_ms, self.not_after_ms,
            self.known_keys] + [array_text(r[name] for r in rows) for name, _ in CLAIM_COLUMNS]
            + [self.limits[name] for name in LIMITS])
        answers = sorted(self.cursor.fetchall(), key=lambda a: a.idx)
        assert [a.idx for a in answers] == list(range(1, len(rows) + 1)), answers
        return answers

    def claim_one(self, row, claim_id=None):
        return self.claim(row, claim_id=claim_id)[0]

    def result(self, row, answer, state, **given):
        """A record's row for what a claim answered."""
        result = {
            "job_id": row["job_id"], "day": answer.day, "partition": row["partition"],
            "epoch": row["epoch"], "attempt": answer.attempt, "age_ms": 0, "duration_ms": 50,
            "outcome": OUTCOME_OF[state], "state": state, "reason": None, "retry_after": None,
            "http_status": 200, "provider_code": "Ok" if state == "sent" else None,
            "request_id": str(uuid.uuid4()),
            "serial_no": "S-" + row["job_id"][:8] if state == "sent" else None,
            "fee": 1 if state == "sent" else None, "proof": answer.proof}
        result.update(given)
        return result

    def record(self, *results):
        self.cursor.execute(RECORD, [self.name, TOPIC] + [
            array_text(r[name] for r in results) for name, _ in RECORD_COLUMNS])
        return sorted(self.cursor.fetchall(), key=lambda a: a.idx)

    def record_one(self, row, answer, state, **given):
        return self.record(self.result(row, answer, state, **given))[0]

    def send(self, row, state="sent", **given):
        """Claims a job that must be claimable, and records its result."""
        answer = self.claim_one(row)
        assert answer.verdict == "send", answer
        return answer, self.record_one(row, answer, state, **given)


class DatabaseTest(unittest.TestCase):
    """self.worker on a fresh database; self.sql() asks as superuser; self.age() lets time pass."""

    @classmethod
    def setUpClass(cls):
        cls.dbname = create_database()
        cls.admin = connect(cls.dbname)
        cls.phone_number = 0

    @classmethod
    def tearDownClass(cls):
        cls.admin.close()
        drop_database(cls.dbname)

    def setUp(self):
        self.worker = Worker(self.dbname)
        self.addCleanup(self.worker.connection.close)
        type(self).phone_number += 1
        self.phone = f"+86138{type(self).phone_number:08d}"

    def sql(self, text, *args):
        with self.admin.cursor() as cursor:
            cursor.execute(text, args)
            return cursor.fetchall() if cursor.description else None

    def job(self, **given):
        return self.worker.job(phone=given.pop("phone", self.phone), **given)

    def delivery(self, row):
        return self.sql("select * from sendcode.delivery where job_id = %s", row["job_id"])[0]

    def challenge(self, scene="login"):
        return self.sql("select * from sendcode.challenge where phone = %s and scene = %s",
                        self.phone, scene)[0]

    def age(self, seconds):
        """Moves every stored time of this phone back, as if so many seconds had passed."""
        for table in ("challenge", "phone_limit", "delivery", "parked"):
            columns = [r[0] for r in self.sql(
                "select column_name from information_schema.columns where table_schema = 'sendcode'"
                " and table_name = %s and data_type = 'timestamp with time zone'", table)]
            if not columns:  # of a schema of before
                continue
            moved = ", ".join(f"{c} = {c} - %s * interval '1 second'" for c in columns)
            self.sql(f"update sendcode.{table} set {moved} where phone = %s",
                     *[seconds] * len(columns), self.phone)
        self.sql("update sendcode.attempt set at = at - %s * interval '1 second' where job_id in"
                 " (select job_id from sendcode.delivery where phone = %s)", seconds, self.phone)

    def verify(self, nonce, scene="login", phone=None, cursor=None):
        digests = nonce if isinstance(nonce, list) else [code_of(bytes(nonce))[0]]
        return self.sql("select * from sendcode.verify(%s, %s, '192.0.2.1', variadic %s::bytea[])",
                        phone or self.phone, scene, digests)[0]

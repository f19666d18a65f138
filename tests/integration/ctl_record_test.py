"""audit and erase against a real PostgreSQL and Apache Kafka: who sees what, and what stays."""

import csv
import datetime
import io
import json
import os
import re
import shlex
import subprocess
import unittest

from ctl_test import PROGRAM, Rig

PHONE = "+8613800138000"
ALIKE = "+8613899998000"  # masked like PHONE
ROWS = 3000

# A job each of another state and scene for PHONE and ALIKE, then many of one phone.
FILL = """
create or replace function pg_temp.job(p_job text, p_phone text, p_scene text, p_state text,
                                       p_code text, p_at timestamptz, p_day date) returns void
language sql as $$
    insert into sendcode.delivery (job_id, day, phone, scene, state, seq, partition, incarnation,
        "offset", epoch, requested_at, deadline, changed_at, topic, worker, attempts,
        provider_code)
    values (p_job, p_day, p_phone, p_scene, p_state::sendcode.job_state, 2, 0, 0, 7, 1, p_at, p_at,
            p_at, 'sendcode.jobs', 'w', 1, p_code);
    insert into sendcode.attempt (job_id, day, attempt, at, recorded_at, outcome, moved,
                                  provider_code, worker)
    values (p_job, p_day, 1, p_at, p_at, 'accepted', true, p_code, 'w');
$$;
select pg_temp.job('one', '{phone}', 'login', 'sent', 'Ok', t, t::date),
       pg_temp.job('two', '{phone}', 'signup', 'rejected', 'FailedOperation.X', t + '1 h', t::date),
       pg_temp.job('-2+3', '{alike}', 'login', 'sent', 'Ok', t + '2 h', t::date),
       pg_temp.job('late', '{alike}', 'login', 'expired', null, t - '9 days'::interval, t::date + 1)
from (select date_trunc('day', now() at time zone 'UTC') at time zone 'UTC' as t) t;
"""
MANY = """
insert into sendcode.delivery (job_id, day, phone, scene, state, seq, partition, incarnation,
    "offset", epoch, requested_at, deadline, changed_at, topic, worker)
select 'many-' || i, now()::date, '+8613900000000', 'login', 'sent', 2, 0, 0, i, 1, now(), now(),
       now(), 'sendcode.jobs', 'w'
from generate_series(1, {rows}) i
"""


class RecordTest(Rig):
    """Two tests with much in each: a database takes seconds to make."""

    def setUp(self):
        super().setUp()
        self.ctl("migrate", "--topics", "--partitions", "1")
        self.execute(self.name, FILL.format(phone=PHONE, alike=ALIKE))
        self.roles = {}
        for kind in ("auditor", "investigator", "worker"):
            role = self.roles[kind] = f"{self.name}_{kind}"
            self.execute("postgres", f"create role {role} login in role sendcode_{kind}")

    def tearDown(self):
        super().tearDown()
        for role in self.roles.values():
            self.execute("postgres", f"drop role {role}")

    def as_role(self, kind):
        return ["--dsn", self.dsn.replace("user=postgres", f"user={self.roles[kind]}")]

    def audit(self, *arguments, kind="auditor"):
        out, _ = self.ctl("audit", "--format", "jsonl", *self.as_role(kind), *arguments)
        return [json.loads(line) for line in out.splitlines()]

    def test_audit(self):
        """Filters, masks and formats, of one filled database."""
        today, midnight, one, tomorrow = self.execute(self.name, """
            select to_char(d, 'YYYY-MM-DD'), to_char(d, 'YYYY-MM-DD"T00:00:00Z"'),
                   to_char(d, 'YYYY-MM-DD"T09:00:00+08:00"'),
                   to_char(d + '1 day'::interval, 'YYYY-MM-DD"T00:00:00Z"')
            from (select now() at time zone 'UTC' as d) d""")[0]
        whole = ["one", "two", "-2+3", "late"]
        for arguments, wanted in (
                ([], whole),
                (["--phone", PHONE], ["one", "two"]),
                (["--phone", "+8613811118000"], []),
                (["--scene", "signup"], ["two"]),
                (["--state", "sent"], ["one", "-2+3"]),
                (["--provider-code", "FailedOperation.X"], ["two"]),
                (["--from", midnight, "--to", tomorrow], ["one", "two", "-2+3"]),
                (["--from", one, "--to", tomorrow], ["two", "-2+3"]),  # 01:00 in UTC
                (["--to", one], ["one"]),
                (["--from", tomorrow], ["late"]),  # filed when it came
                (["--from", "0000-01-01T00:00:00Z", "--to", "9999-12-31T23:59:59-23:59"], whole),
                (["--phone", PHONE, "--state", "sent", "--scene", "signup"], [])):
            for kind in ("auditor", "investigator"):
                with self.subTest(arguments=arguments, kind=kind):
                    self.assertEqual([row["job_id"] for row in self.audit(*arguments, kind=kind)],
                                     wanted)
        self.assertEqual({row["phone"] for row in self.audit()}, {"+86138****8000"})
        self.assertEqual([row["phone"] for row in self.audit(kind="investigator")],
                         [PHONE, PHONE, ALIKE, ALIKE])
        first = self.audit()[0]
        self.assertEqual((first["requested_at"], first["offset"], first["duplicate_send"]),
                         (f"{today}T00:00:00.000Z", 7, False))
        self.assertNotIn("reason", first)
        self.assertEqual(first["day"], today)

        out, _ = self.ctl("audit", "--format", "csv", *self.as_role("auditor"))
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual([row["job_id"] for row in rows], ["one", "two", "'-2+3", "late"])
        self.assertEqual(rows[0]["phone"], "+86138****8000")
        self.assertEqual(rows[0]["duplicate_send"], "false")
        columns = self.execute(self.name, "select attname from pg_attribute where attnum > 0 and"
                                          " attrelid = 'sendcode.deliveries'::regclass")
        self.assertEqual(set(rows[0]), {name for (name,) in columns})
        out, _ = self.ctl("audit", *self.as_role("auditor"))
        self.assertEqual(len(out.splitlines()), 5)
        self.assertRegex(out.splitlines()[1], r"^\S+Z  one +\+86138\*\*\*\*8000  login +sent ")
        _, said = self.ctl("audit", "--scene", "nobody", *self.as_role("auditor"))
        self.assertIn("no job fits", said)
        _, said = self.ctl("audit", *self.as_role("worker"), code=78)
        self.assertIn("may not do this", said)
        self.check_a_job_id_of_two_phones()
        self.check_impossible_filters()
        self.check_lost_output()
        self.check_memory()

    def check_a_job_id_of_two_phones(self):
        """Who reuses one after days must not have another's job found, though masked alike."""
        self.execute(self.name, "insert into sendcode.delivery select (jsonb_populate_record(d,"
                                f" jsonb_build_object('phone', '{ALIKE}', 'day', d.day + 1))).*"
                                " from sendcode.delivery d where job_id = 'two'")
        for kind in ("auditor", "investigator"):
            self.assertEqual([row["job_id"] for row in self.audit("--phone", PHONE, kind=kind)],
                             ["one", "two"])
        self.execute(self.name, f"delete from sendcode.delivery where phone = '{ALIKE}'"
                                " and job_id = 'two'")

    def check_lost_output(self):
        """A full disk, or no standard output at all, is no success; and no connection gets its
        place."""
        for command in (["audit"], ["timeline", PHONE], ["unlock", PHONE], ["erase", PHONE]):
            for output in (">/dev/full", ">&-"):
                with self.subTest(command=command, output=output):
                    line = shlex.join([PROGRAM, "-c", self.conf, *command]) + " " + output
                    done = subprocess.run(["sh", "-c", line], stderr=subprocess.PIPE, text=True,
                                          timeout=60, check=False)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn("standard output takes no more", done.stderr)

    def check_impossible_filters(self):
        """64, and what is possible."""
        for arguments, hint in ((["--state", "gone"], "delivered undelivered"),
                                (["--phone", "+86138****8000"], "the whole number"),
                                (["--scene", "Log In"], "a-z 0-9"),
                                (["--from", "yesterday"], "2026-11-24T08:00:00Z"),
                                (["--to", "2026-11-24"], "2026-11-25T08:00:00Z"),
                                (["--from", "2026-11-25T00:00:00Z", "--to",
                                  "2026-11-25T08:00:00+08:00"], "nothing lies between"),
                                (["--provider-code", "x y"], "LimitExceeded"),
                                (["--format", "xml"], "table, csv or jsonl"), (["more"], "more")):
            with self.subTest(arguments):
                _, said = self.ctl("audit", *arguments, code=64)
                self.assertIn(hint, said)

    def peak_kib(self, *arguments):
        """Of a run whose output is read as it comes: how many lines, and its peak memory."""
        environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
        run = subprocess.Popen([PROGRAM, "-c", self.conf, "audit", *arguments],
                               stdout=subprocess.PIPE, env=environment)
        with run.stdout as out:
            lines = sum(1 for _ in out)
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0)
        return lines, usage.ru_maxrss

    def check_memory(self):
        """Many rows need no more than few."""
        self.execute(self.name, MANY.format(rows=ROWS))
        few = self.peak_kib("--format", "csv")
        self.execute(self.name, MANY.format(rows=20 * ROWS).replace("many-", "more-"))
        many = self.peak_kib("--format", "csv")
        self.assertEqual((few[0], many[0]), (ROWS + 5, 21 * ROWS + 5))
        self.assertLess(many[1], few[1] + 4096)

    def phones(self):
        return self.execute(self.name, "select job_id, phone from sendcode.delivery order by 1")

    def test_erase(self):
        self.check_rights_of_erase()
        self.check_what_topics_keep()
        before = self.phones()
        out, said = self.ctl("erase", PHONE)
        self.assertIn("would be erased: ", out)
        self.assertIn("nothing is done yet", said)
        self.assertEqual(self.phones(), before)

        park = ("insert into sendcode.parked (job_id, day, kind, phone, scene, due_at, deadline,"
                " not_after, parked_at) select job_id, day, 'in_doubt', phone, scene, now(), now(),"
                f" now(), now() from sendcode.delivery where phone = '{PHONE}'")
        self.execute(self.name, park)
        self.execute(self.name, "update sendcode.delivery set state = 'in_doubt'"
                                " where job_id = 'one'")
        _, said = self.ctl("erase", "--yes", PHONE, code=1)
        self.assertIn("not decided yet", said)
        self.assertEqual(self.phones(), before)
        self.execute(self.name, "delete from sendcode.parked; update sendcode.delivery"
                                " set state = 'sent' where job_id = 'one'")

        done, _ = self.ctl("erase", "--yes", PHONE)
        self.assertEqual(*(re.search(r"erased: ([1-9]\d*) rows", text)[1] for text in (out, done)))
        after = dict(self.phones())
        self.assertEqual(sorted(after), sorted(dict(before)))
        self.assertNotIn(PHONE, after.values())
        self.assertEqual(after["late"], ALIKE)
        dump = self.dump()
        self.assertNotIn(PHONE, dump)
        self.assertIn(ALIKE, dump)
        _, said = self.ctl("erase", "--yes", PHONE)
        self.assertIn("has nothing of that phone", said)

    def dump(self):
        tables = self.execute(self.name, "select c.oid::regclass::text from pg_class c where"
                                         " relnamespace = 'sendcode'::regnamespace"
                                         " and relkind = 'r'")
        return "".join(str(self.execute(self.name, f"select t::text from {table} t"))
                       for (table,) in tables)

    def check_what_topics_keep(self):
        out, _ = self.ctl("erase", PHONE)
        for topic in ("jobs", "dead", "events"):
            until = re.search(rf"{self.name}\.{topic}: .* until (20\d\d-.*)Z at the latest", out)
            hours = (datetime.datetime.fromisoformat(until[1])
                     - datetime.datetime.utcnow()).total_seconds() / 3600
            kept = 7 * 24 if topic == "events" else 72
            self.assertAlmostEqual(hours, kept + 6, delta=0.2)  # a segment's
        away = self.configure("127.0.0.1:1")
        out, _ = self.ctl("erase", PHONE, conf=away)
        self.assertRegex(out, rf"{self.name}\.dead: .*Kafka did not say; .* 72 h")

    def check_rights_of_erase(self):
        """It is for the owner."""
        for kind in ("worker", "auditor", "investigator"):
            with self.subTest(kind):
                _, said = self.ctl("erase", "--yes", PHONE, *self.as_role(kind), code=78)
                self.assertIn("may not do this", said)
        self.assertIn(PHONE, dict(self.phones()).values())
        self.ctl("erase", "--yes", code=64)
        self.ctl("erase", "--yes", "13800138000", code=64)


if __name__ == "__main__":
    unittest.main()

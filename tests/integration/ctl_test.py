"""sendcodectl against a real PostgreSQL and a real Apache Kafka: what it does, refuses and says."""

import os
import subprocess
import tempfile
import unittest
import uuid

import psycopg2

DSN = os.environ["SENDCODE_TEST_DSN"]
BOOTSTRAP = os.environ["SENDCODE_TEST_BOOTSTRAP"]
PROGRAM = os.path.join(os.environ["SENDCODE_BUILD_DIR"], "sendcodectl")
VERIFY_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

CONFIGURATION = """
[kafka]
bootstrap.servers = {bootstrap}
[topics]
jobs = {prefix}.jobs
events = {prefix}.events
dead = {prefix}.dead
[postgres]
dsn = {dsn}
[tencent]
sdk_app_id = 1400006666
sign_name = test
[scene login]
template_id = 1
"""


def connect(dsn):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    return connection


class Rig(unittest.TestCase):
    """A database and topics of its own for each test."""

    def setUp(self):
        self.name = "ctl_" + uuid.uuid4().hex[:12]
        self.execute("postgres", f"create database {self.name}")
        self.dsn = DSN.replace("dbname=postgres", f"dbname={self.name}")
        self.folder = tempfile.TemporaryDirectory()
        self.conf = self.configure(BOOTSTRAP)

    def tearDown(self):
        self.execute("postgres", f"drop database {self.name} with (force)")
        self.folder.cleanup()

    def execute(self, database, sql):
        connection = connect(DSN.replace("dbname=postgres", f"dbname={database}"))
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else None
        connection.close()
        return rows

    def configure(self, bootstrap):
        path = os.path.join(self.folder.name, f"{len(os.listdir(self.folder.name))}.conf")
        with open(path, "w", encoding="utf-8") as out:
            out.write(CONFIGURATION.format(bootstrap=bootstrap, prefix=self.name, dsn=self.dsn))
        return path

    def ctl(self, *arguments, conf=None, text="", code=0, **environment):
        result = subprocess.run(
            [PROGRAM, "-c", conf or self.conf, *arguments], input=text, capture_output=True,
            text=True, timeout=120, check=False, env={**os.environ, **environment})
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout, result.stderr

    def consume(self, topic):
        out = subprocess.run(
            ["kcat", "-C", "-b", BOOTSTRAP, "-t", topic, "-e", "-q", "-f", "%k %s\n"],
            capture_output=True, text=True, timeout=60, check=True).stdout
        return out.splitlines()


class CtlTest(Rig):
    def test_migrate_twice_does_it_once(self):
        first, _ = self.ctl("migrate")
        again, _ = self.ctl("migrate")
        self.assertIn("applied 0031_tables\n", first)
        self.assertIn("functions, views and rights", first)
        self.assertIn("nothing to do", again)

    def test_two_migrates_at_once_both_succeed(self):
        command = [PROGRAM, "-c", self.conf, "migrate"]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        texts = [p.communicate(timeout=120)[0] for p in both]
        self.assertEqual([p.returncode for p in both], [0, 0], texts)
        self.assertEqual(sum("applied 0031_" in text for text in texts), 1)

    def test_migrate_never_goes_backwards(self):
        self.ctl("migrate")
        self.execute(self.name, "insert into sendcode.schema_migration (version, name, sha256) "
                                "select max(version) + 1, 'future', '' "
                                "from sendcode.schema_migration")
        _, said = self.ctl("migrate", code=78)
        self.assertIn("use the newer sendcodectl", said)

    def test_migrate_goes_on_from_no_older_version_than_it_knows(self):
        self.ctl("migrate")
        self.execute(self.name, "delete from sendcode.schema_migration; "
                                "insert into sendcode.schema_migration values (22, 'early', '')")
        _, said = self.ctl("migrate", code=78)
        self.assertIn("has version 22, this program goes on from 31", said)

    def test_migrate_refuses_a_schema_made_of_another_content(self):
        self.ctl("migrate")
        for column, what in (("functions_sha256", "functions"), ("sha256", "migration")):
            self.execute(self.name, f"update sendcode.schema_migration set {column} = '\\x00' "
                                    "where version = (select max(version) "
                                    "from sendcode.schema_migration)")
            _, said = self.ctl("migrate", code=78)
            self.assertIn(what, said)
            self.assertIn("another content", said)

    def test_migrate_refuses_a_row_that_is_missing(self):
        self.ctl("migrate")
        self.execute(self.name, "delete from sendcode.schema_migration where version = 31")
        _, said = self.ctl("migrate", code=78)
        self.assertIn("no row for version 31", said)

    def test_a_failed_migration_leaves_nothing_of_itself(self):
        self.execute(self.name, "create schema sendcode; create view sendcode.attempt as select 1")
        self.ctl("migrate", code=1)
        self.assertEqual(self.execute(self.name, "select to_regclass('sendcode.delivery')"),
                         [(None,)])

    def test_migrate_waits_for_no_reader_and_says_so(self):
        """Else all that connect would wait behind it, workers too."""
        self.ctl("migrate")
        self.execute(self.name, "delete from sendcode.schema_migration where version > 31;"
                                "alter table sendcode.schema_migration drop functions_sha256;"
                                "drop table sendcode.counted_month")
        reader = connect(self.dsn)
        reader.autocommit = False
        reader.cursor().execute("select count(*) from sendcode.deliveries")
        _, said = self.ctl("migrate", code=69)
        self.assertIn("an audit or pg_dump", said)
        reader.close()
        self.ctl("migrate")

    def test_topics_are_made_once_with_their_retention(self):
        made, _ = self.ctl("migrate", "--topics", "--partitions", "3")
        there, _ = self.ctl("migrate", "--topics")
        self.assertEqual(made.count("made, 3 partitions"), 3)
        self.assertEqual(there.count("is there"), 3)

    def test_postgresql_away_is_69(self):
        _, said = self.ctl("migrate", "--dsn", "host=/nonexistent", code=69)
        self.assertIn("/nonexistent", said)

    def test_kafka_away_is_69(self):
        conf = self.configure("127.0.0.1:1")
        _, said = self.ctl("enqueue", "--phone", "+8613800138000", "--scene", "login", conf=conf,
                           code=69)
        self.assertIn("bootstrap.servers", said)

    def test_a_missing_schema_names_migrate(self):
        _, said = self.ctl("timeline", "+8613800138000", code=78)
        self.assertIn("sendcodectl migrate", said)

    def test_missing_topics_name_migrate(self):
        _, said = self.ctl("enqueue", "--phone", "+8613800138000", "--scene", "login", code=78)
        self.assertIn("migrate --topics", said)

    def test_a_job_is_published_under_its_phone(self):
        self.ctl("migrate", "--topics")
        job_id, _ = self.ctl("enqueue", "--phone", "+8613800138000", "--scene", "login")
        records = self.consume(f"{self.name}.jobs")
        self.assertEqual(len(records), 1)
        self.assertTrue(records[0].startswith("+8613800138000 {"), records)
        self.assertIn(job_id.strip(), records[0])

    def test_a_file_with_one_bad_line_publishes_nothing(self):
        self.ctl("migrate", "--topics")
        good = '{"phone":"+8613800138000","scene":"login"}\n'
        _, said = self.ctl("enqueue", "--file", "-", text=good + '{"phone":"1"}\n' + good, code=1)
        self.assertIn("stdin:2: phone is not", said)
        self.assertEqual(self.consume(f"{self.name}.jobs"), [])

    def test_a_file_of_many_jobs_is_published_whole(self):
        self.ctl("migrate", "--topics")
        lines = "".join(f'{{"phone":"+86138{i:08d}","scene":"login"}}\n' for i in range(2000))
        ids, _ = self.ctl("enqueue", "--file", "-", text=lines)
        self.assertEqual(len(set(ids.split())), 2000)
        self.assertEqual(len(self.consume(f"{self.name}.jobs")), 2000)

    def test_verify_of_a_phone_without_a_code_is_none(self):
        self.ctl("migrate")
        out, _ = self.ctl("verify", "+8613800138000", "login", text="123456\n", code=1,
                          SENDCODE_VERIFY_KEY=VERIFY_KEY)
        self.assertIn("verdict: none", out)

    def test_unlock_and_timeline_of_an_unknown_phone(self):
        self.ctl("migrate")
        self.ctl("unlock", "+8613800138000")
        _, said = self.ctl("timeline", "+8613800138000", code=1)
        self.ctl("timeline", b"job-\xff", code=64)
        self.assertIn("knows nothing", said)

    def test_usage_is_64(self):
        for arguments in (["nonsense"], ["verify"], ["enqueue"], ["migrate", "--partitions", "0"],
                          ["unlock", "1380"], ["timeline"], ["migrate", "--dsn"],
                          ["migrate", "--dsn", "host=x password=y"],
                          ["verify", "--client-ip", "192.0.2.0/24", "+8613800138000", "login"],
                          ["enqueue", "--file", "x", "--phone", "+8613800138000"]):
            with self.subTest(arguments):
                _, said = self.ctl(*arguments, code=64)
                self.assertTrue(said)

    def test_every_command_has_help(self):
        for command in ("migrate", "enqueue", "verify", "unlock", "timeline", "audit", "replay",
                        "erase"):
            with self.subTest(command):
                out, _ = self.ctl(command, "--help")
                self.assertIn("usage: sendcodectl", out)

    def test_a_wrong_configuration_is_78(self):
        conf = os.path.join(self.folder.name, "wrong.conf")
        with open(conf, "w", encoding="utf-8") as out:
            out.write("[kafka]\nnonsense = 1\n[topic]\n")
        _, said = self.ctl("enqueue", "--phone", "+8613800138000", "--scene", "login", conf=conf,
                           code=78)
        self.assertIn("wrong.conf:3", said)


if __name__ == "__main__":
    unittest.main()

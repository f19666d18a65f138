"""A whole system for one test: a database and topics of its own on the real servers that ctest
started, a sandbox, and any number of workers. Everything waits for a condition, never for a time."""

import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import uuid

import psycopg2

BUILD = pathlib.Path(os.environ["SENDCODE_BUILD_DIR"])
BOOTSTRAP = os.environ.get("SENDCODE_TEST_BOOTSTRAP")
DSN = os.environ.get("SENDCODE_TEST_DSN")
LINES_SHOWN = 60  # of the log of each program of a test that failed
PATIENCE = 60  # seconds that a condition may take at most on a busy machine

SECRETS = {
    "TENCENT_SECRET_ID": "AKIDrig",
    "TENCENT_SECRET_KEY": "rig-secret-key",
    "SENDCODE_CODE_KEY": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "SENDCODE_VERIFY_KEY": "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100",
}


def wait_for(what, condition, patience=PATIENCE):
    """The first true value that condition gives; fails naming what."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.05)


def now(delta=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=delta)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Program:
    """A process whose standard error is kept in a file."""

    def __init__(self, args, log, env=None, stdout=subprocess.DEVNULL):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen(
                args, stderr=err, stdout=stdout, stdin=subprocess.DEVNULL,
                env={**os.environ, **SECRETS, **(env or {})})

    def text(self):
        return self.log.read_text(errors="replace")

    def says(self, words):
        return words in self.text()

    def tell(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.tell(number)
        return self.process.wait(timeout=PATIENCE)


class Rig(unittest.TestCase):
    """Base of the tests. A subclass may set keys of `tencent`, `limits`, `worker`, `kafka`."""

    tencent = {}
    limits = {}
    worker = {}
    kafka = {}
    scenes = {"register": {}}
    sandbox_args = []
    partitions = 3
    bootstrap = BOOTSTRAP
    server_dsn = DSN

    def run(self, result=None):
        """What the programs of a test that fails said last is shown."""
        bad = len(result.failures) + len(result.errors)
        self.dir = None
        super().run(result)
        if not self.dir:
            return
        if len(result.failures) + len(result.errors) > bad:
            for program in self.programs:
                tail = program.text().splitlines()[-LINES_SHOWN:]
                print(f"--- {self._testMethodName}: {program.log.name}", *tail, sep="\n",
                      file=sys.stderr)
        shutil.rmtree(self.dir)

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sendcode-rig-"))
        self.name = "t" + uuid.uuid4().hex[:10]
        self.programs = []
        self.addCleanup(self.end_all)
        self.make_database()
        self.start_sandbox()
        self.write_config()
        self.ctl("migrate", "--topics", "--partitions", str(self.partitions))
        self.offsets = {}

    def end_all(self):
        for program in self.programs:
            with contextlib.suppress(Exception):
                program.end(signal.SIGKILL)
        for program in self.programs:
            for bad in ("panic at", "AddressSanitizer", "runtime error:", "LeakSanitizer"):
                self.assertNotIn(bad, program.text(), f"{program.log.name}")

    # --- the servers ---

    def make_database(self):
        admin = psycopg2.connect(self.server_dsn)
        admin.autocommit = True
        with admin.cursor() as c:
            c.execute(f'create database "{self.name}"')
        admin.close()
        self.dsn = f"{self.server_dsn} dbname={self.name}"
        self.addCleanup(self.drop_database)

    def drop_database(self):
        if getattr(self, "db_connection", None):
            self.db_connection.close()
        admin = psycopg2.connect(self.server_dsn)
        admin.autocommit = True
        with admin.cursor() as c:
            c.execute(f'drop database if exists "{self.name}" with (force)')
        admin.close()

    def start_sandbox(self):
        self.ledger_path = self.dir / "ledger.jsonl"
        ready = self.dir / "ready.json"
        with open(ready, "wb") as out:
            self.sandbox = Program(
                [BUILD / "sendcode-sandbox", "--listen", "127.0.0.1:0", "--tls-listen",
                 "127.0.0.1:0", "--control", "127.0.0.1:0", "--ledger", self.ledger_path,
                 *self.sandbox_args], self.dir / "sandbox.log", stdout=out)
        self.programs.append(self.sandbox)
        line = wait_for("the sandbox", lambda: ready.read_text().strip())
        self.addresses = json.loads(line)

    def config(self):
        a = self.addresses
        scene = {"template_id": "1717171", "template_params": "{code},{minutes}"}
        sections = {
            "kafka": {"bootstrap.servers": self.bootstrap, "group.id": self.name,
                      "session.timeout.ms": "6000",
                      "heartbeat.interval.ms": "500", **self.kafka},
            "topics": {t: f"{self.name}.{t}" for t in ("jobs", "events", "dead")},
            "postgres": {"dsn": self.dsn},
            "tencent": {"endpoint": a["endpoint"], "sdk_app_id": "1400006789",
                        "sign_name": "AA生活服务", **self.tencent},
            "worker": {"admin_listen": "127.0.0.1:0", **self.worker},
            **({"limits": self.limits} if self.limits else {}),
        }
        for name, extra in self.scenes.items():
            sections[f"scene {name}"] = {**scene, **extra}
        return sections

    def write_config(self, sections=None, name="sendcode.conf"):
        self.config_path = self.dir / name
        with open(self.config_path, "w", encoding="utf-8") as out:
            for section, keys in (sections or self.config()).items():
                out.write(f"[{section}]\n")
                out.writelines(f"{k} = {v}\n" for k, v in keys.items())
        return self.config_path

    # --- the programs ---

    def ctl(self, *args, code=0, stdin="", env=None):
        done = subprocess.run(
            [BUILD / "sendcodectl", "-c", self.config_path, *args], input=stdin, text=True,
            capture_output=True, timeout=PATIENCE * 2, env={**os.environ, **SECRETS, **(env or {})})
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout + done.stderr

    def start_worker(self, config=None, env=None, ready=True):
        log = self.dir / f"worker{len(self.programs)}.log"
        worker = Program([BUILD / "sendcode-worker", "-c", config or self.config_path], log, env)
        self.programs.append(worker)
        if ready:
            wait_for("the worker to be ready", lambda: self.status(worker, "/readyz")[0] == 200)
        return worker

    def admin_port(self, worker):
        for line in worker.text().splitlines():
            if 'msg="admin pages"' in line:
                return line.rsplit("port=", 1)[1].split()[0]
        return None

    def status(self, worker, path):
        self.assertIsNone(worker.process.poll(), worker.text())
        port = self.admin_port(worker)
        if port is None:
            return 0, ""
        return self.http(f"http://127.0.0.1:{port}{path}")

    @staticmethod
    def http(url, data=None, method=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(url, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def metric(self, worker, name):
        for line in self.status(worker, "/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    # --- jobs, events, messages ---

    def job(self, **fields):
        job = {"v": 1, "job_id": f"{self.name}-{uuid.uuid4().hex}", "phone": "+8613800138000",
               "scene": "register", "requested_at": now()}
        job.update(fields)
        return {k: v for k, v in job.items() if v is not None}

    def publish(self, *jobs, topic="jobs", partition=None, headers=()):
        lines = []
        for job in jobs:
            value = job if isinstance(job, str) else json.dumps(job)
            key = job.get("phone", "") if isinstance(job, dict) else ""
            lines.append(f"{key}\x01{value}")
        args = ["kcat", "-b", self.bootstrap, "-t", f"{self.name}.{topic}", "-P", "-K", "\x01",
                "-D", "\x02", "-X", "linger.ms=0"]
        if partition is not None:
            args += ["-p", str(partition)]
        for header in headers:
            args += ["-H", header]
        subprocess.run(args, input="\x02".join(lines).encode(), check=True, timeout=PATIENCE)
        return jobs[0] if len(jobs) == 1 else jobs

    def consume(self, topic):
        """All records of the topic so far, each {partition, offset, key, payload, headers}."""
        out = subprocess.run(
            ["kcat", "-b", self.bootstrap, "-t", f"{self.name}.{topic}", "-C", "-J", "-e", "-q",
             "-o", "beginning"], capture_output=True, check=True, timeout=PATIENCE).stdout
        return [json.loads(line) for line in out.decode(errors="replace").splitlines()]

    @staticmethod
    def headers(record):
        flat = record["headers"]
        return dict(zip(flat[::2], flat[1::2]))

    def events(self, job_id=None):
        events = [json.loads(r["payload"]) for r in self.consume("events")]
        return [e for e in events if job_id in (None, e["job_id"])]

    def query(self, sql, *args):
        if not getattr(self, "db_connection", None) or self.db_connection.closed:
            self.db_connection = psycopg2.connect(self.dsn)
            self.db_connection.autocommit = True
        with self.db_connection.cursor() as c:
            c.execute(sql, args)
            return c.fetchall() if c.description else None

    def state(self, job_id):
        rows = self.query("select state, reason from sendcode.deliveries where job_id = %s", job_id)
        return rows[0] if rows else (None, None)

    def wait_state(self, job, state, reason=None):
        wait_for(f"{job['job_id']} to be {state}",
                 lambda: self.state(job["job_id"]) == (state, reason))

    def ledger(self):
        if not self.ledger_path.exists():
            return []
        whole, _, _ = self.ledger_path.read_text().rpartition("\n")  # one may be half written
        return [json.loads(line) for line in whole.splitlines()]

    def fault(self, match, do, times=None):
        fault = {"match": match, "do": do}
        if times is not None:
            fault["times"] = times
        status, text = self.http(self.addresses["control"] + "/faults", fault)
        self.assertIn(status, (200, 201), text)

    def clear_faults(self):
        self.http(self.addresses["control"] + "/faults", method="DELETE")

    def code_of(self, phone):
        """The code in the last message that the phone got."""
        messages = [m for m in self.ledger() if m["phone"] == phone]
        return messages[-1]["params"][0]

    def assert_accounts_whole(self):
        rows = self.query("select records, jobs + duplicates + invalid, next_offset, gaps"
                          " from sendcode.accounting where topic = %s", f"{self.name}.jobs")
        for records, outcomes, next_offset, gaps in rows:
            self.assertEqual(records, outcomes)
            self.assertEqual(records + gaps, next_offset)
        held = len(self.consume("jobs"))
        self.assertEqual(sum(r[0] for r in rows), held)

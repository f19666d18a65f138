"""Servers of a test's own, which it may break: scripts/kafka, and PostgreSQL with a standby."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from rig import wait_for

SCRIPTS = pathlib.Path(__file__).resolve().parents[3] / "scripts"


def run(*args, cwd=None):
    # A server that inherited a pipe would keep the caller waiting: to a file.
    with tempfile.TemporaryFile("w+") as out:
        done = subprocess.run([str(a) for a in args], stdin=subprocess.DEVNULL, stdout=out,
                              stderr=out, cwd=cwd, timeout=240, check=False)
        out.seek(0)
        said = out.read()
    if done.returncode != 0:
        raise RuntimeError(f"{args} failed: {said}")
    return said


class Brokers:
    def __init__(self, n):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sendcode-brokers-"))
        self.n = n
        self.start()
        self.bootstrap = (self.dir / "bootstrap").read_text().strip()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

    def start(self):
        """Starts those that are down."""
        run(SCRIPTS / "kafka", "start", "--brokers", self.n, self.dir)

    def kill(self, *numbers):
        for number in numbers:
            os.kill(int((self.dir / f"broker-{number}.pid").read_text()), signal.SIGKILL)

    def coordinator(self, group):
        """The number of the broker that coordinates the group, None while there is none."""
        try:
            groups = self.admin.list_groups(group, timeout=10)
        except KafkaException:
            return None
        return groups[0].broker.id if groups else None

    def in_sync(self):
        try:
            topics = self.admin.list_topics(timeout=10).topics.values()
        except KafkaException:
            return False
        return all(len(p.isrs) == self.n for t in topics for p in t.partitions.values())

    def stop(self):
        run(SCRIPTS / "kafka", "stop", self.dir)
        shutil.rmtree(self.dir)


class Postgres:
    """scripts/postgres, and a standby of it that commits wait for."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="sendcode-postgres-"))
        self.start()
        self.home = pathlib.Path((self.dir / "home").read_text().strip())
        self.standby = self.home / "standby"
        self.bin = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                       key=lambda p: int(p.parent.name))

    def start(self):
        run(SCRIPTS / "postgres", "start", self.dir)

    def tool(self, name, *args):
        as_server = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        return run(*as_server, self.bin / name, *args, cwd="/")

    def crash(self):
        self.tool("pg_ctl", "-D", self.home / "data", "-m", "immediate", "-w", "-s", "stop")

    def restart(self):
        self.tool("pg_ctl", "-D", self.home / "data", "-m", "fast", "-w", "-s", "-l",
                  self.home / "log", "restart")

    def dsn(self):
        return f"host={self.home} port=5432 user=postgres dbname=postgres"

    def dsn_of_both(self):
        return f"host={self.home},{self.standby} port=5432,5432 user=postgres"

    def add_standby(self, query):
        self.tool("pg_basebackup", "-D", self.standby, "-d", self.dsn(), "-R", "-X", "stream", "-c",
                  "fast", "--no-sync")
        settings = self.standby / "postgresql.auto.conf"
        with open(settings, "a", encoding="utf-8") as out:
            out.write(f"unix_socket_directories = '{self.standby}'\n")
        self.tool("pg_ctl", "-D", self.standby, "-w", "-s", "-l", self.home / "standby.log",
                  "start")
        query("alter system set synchronous_standby_names = '*'")
        query("select pg_reload_conf()")
        wait_for("a synchronous standby", lambda: query(
            "select 1 from pg_stat_replication where sync_state = 'sync'"))

    def promote(self):
        self.tool("pg_ctl", "-D", self.standby, "-w", "-s", "promote")

    def stop(self):
        if (self.standby / "postmaster.pid").exists():
            self.tool("pg_ctl", "-D", self.standby, "-m", "immediate", "-w", "-s", "stop")
        shutil.rmtree(self.standby, ignore_errors=True)
        run(SCRIPTS / "postgres", "stop", self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)

"""A primary and its synchronous standby on loopback, each in a folder of its own. They can be
stopped at once, and once the standby takes over for good: the old primary comes back as standby."""

import contextlib
import os
import pathlib
import shutil
import tempfile
import threading

import psycopg2

from programs import free_ports, run, wait_for

ROLE = "chaos_worker"
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 100
shared_buffers = 128MB
max_wal_size = 2GB
wal_keep_size = 1GB
wal_retrieve_retry_interval = '500ms'
wal_receiver_timeout = '10s'
wal_sender_timeout = '10s'
log_line_prefix = '%m [%p] %a '
"""


def newest_bin():
    folders = pathlib.Path("/usr/lib/postgresql").glob("*/bin")
    return max(folders, key=lambda p: int(p.parent.name))


class Postgres:
    def __init__(self):
        self.bin = newest_bin()
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sendcode-chaos-pg-"))
        if os.getuid() == 0:
            shutil.chown(self.home, "postgres")
        self.ports = free_ports(2)
        self.primary = 0
        self.lock = threading.Lock()  # held by whoever has a server down

    def data(self, node):
        return self.home / f"node{node}"

    def log(self, node):
        return self.home / f"node{node}.log"

    def tool(self, name, *args):
        as_server = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        return run(*as_server, self.bin / name, *args, cwd=self.home)

    def control(self, node, *args):
        # Its output must not be a pipe that the server would inherit.
        self.tool("pg_ctl", "-D", self.data(node), "-l", self.log(node), "-w", "-t", "60", "-s",
                  *args)

    def is_up(self, node):
        return (self.data(node) / "postmaster.pid").exists()

    def start(self, node):
        if not self.is_up(node):
            self.control(node, "start")

    def stop_at_once(self, node):
        if self.is_up(node):
            self.control(node, "-m", "immediate", "stop")

    def set_up(self):
        self.tool("initdb", "-D", self.data(0), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C.UTF-8", "--no-sync")
        with open(self.data(0) / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(SETTINGS + f"port = {self.ports[0]}\n")
        self.start(0)
        with self.connect("postgres") as c:
            c.cursor().execute(f"create role {ROLE} login")
        self.query("create database sendcode", database="postgres")
        self.build_standby(1)

    def build_standby(self, node):
        """Copies the primary, and from then on no commit is told done that the copy lacks."""
        shutil.rmtree(self.data(node), ignore_errors=True)
        self.tool("pg_basebackup", "-D", self.data(node), "-d", self.dsn(self.primary, "postgres"),
                  "-R", "-X", "stream", "-c", "fast", "--no-sync")
        with open(self.data(node) / "postgresql.auto.conf", "a", encoding="utf-8") as conf:
            conf.write(f"port = {self.ports[node]}\nsynchronous_standby_names = ''\n")
        self.start(node)
        self.set_synchronous("*")
        wait_for("a synchronous standby", self.is_synchronous, 60)

    def set_synchronous(self, names):
        self.query(f"alter system set synchronous_standby_names = '{names}'")
        self.query("select pg_reload_conf()")

    def is_synchronous(self):
        return self.query("select 1 from pg_stat_replication where sync_state = 'sync'")

    def fail_over(self):
        """The primary is gone for good; the standby is the primary from now on. Commits that the
        old one told done are all here."""
        old, new = self.primary, 1 - self.primary
        self.stop_at_once(old)
        self.start(new)
        self.control(new, "promote")
        self.primary = new

    def rebuild(self):
        self.build_standby(1 - self.primary)

    def dsn(self, node, database="sendcode"):
        return (f"host=127.0.0.1 port={self.ports[node]} user=postgres dbname={database}"
                " connect_timeout=30")

    def connect(self, database="sendcode"):
        connection = psycopg2.connect(self.dsn(self.primary, database))
        connection.autocommit = True
        return connection

    def query(self, sql, *args, database="sendcode"):
        connection = self.connect(database)
        try:
            with connection.cursor() as c:
                # What the run asks must not wait for a standby that the run took away.
                c.execute("set synchronous_commit = local")
                c.execute(sql, args or None)
                return c.fetchall() if c.description else None
        finally:
            connection.close()

    def tear_down(self):
        for node in (0, 1):
            with contextlib.suppress(RuntimeError):
                self.stop_at_once(node)
        shutil.rmtree(self.home, ignore_errors=True)

"""What PostgreSQL refuses or loses while it runs: disk, connections, locks, backends, answers."""

import contextlib
import unittest

import psycopg2

from outage import Outage
from proxy import Proxy
from rig import wait_for

WORKERS = "datname = %s and application_name like 'sendcode-worker%%'"


class Database(Outage):
    tencent = {"timeout": "2"}
    worker = {"start_budget": "1"}

    @contextlib.contextmanager
    def admin(self):
        """A cursor that is not of this test's database."""
        admin = psycopg2.connect(self.server_dsn)
        admin.autocommit = True
        with admin.cursor() as c:
            yield c
        admin.close()

    def break_backends(self):
        with self.admin() as c:
            c.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {WORKERS}",
                      (self.name,))
            return c.rowcount

    def assert_held(self, worker, why):
        """Nothing is sent while /readyz and the log say why."""
        self.flow(5)
        said = self.wait_unready(worker, "postgres (", why)
        kept = self.wait_sends_over(worker)
        self.flow(20)
        self.assert_services_said_once(worker, said)
        self.assertEqual(len(self.ledger()), kept, "sent without a claim")
        self.assert_quiet(worker)

    def test_full_disk_is_waited_out(self):
        worker = self.start_worker()
        self.flow(300)
        self.wait_messages(50)
        self.query("""
            create function sendcode.full() returns trigger language plpgsql as $$
            begin raise exception 'could not extend file: No space left on device'
                  using errcode = 'disk_full'; end $$;
            create trigger no_room before insert or update on sendcode.delivery
            for each statement execute function sendcode.full()""")
        self.assert_held(worker, "No space left on device")
        self.query("drop trigger no_room on sendcode.delivery")
        self.wait_ready(worker)
        self.assert_whole()
        self.assert_announced()

    def test_no_connection_left_is_waited_out(self):
        role = f"{self.name}_worker"
        self.query(f"create role {role} login; grant sendcode_worker to {role}")
        worker = self.start_worker(self.write_config_for(f"{self.dsn} user={role}"))
        self.flow(300)
        self.wait_messages(50)
        with self.admin() as c:
            c.execute(f"alter role {role} connection limit 0")
            self.break_backends()
            self.assert_held(worker, "too many connections for role")
            c.execute(f"alter role {role} connection limit -1")
        self.wait_ready(worker)
        self.assert_whole()
        self.query(f"drop owned by {role}; drop role {role}")

    def test_rows_locked_for_longer_than_a_statement_waits_for_them(self):
        worker = self.start_worker()
        self.flow(300)
        self.wait_messages(50)
        holder = psycopg2.connect(self.dsn)
        with holder.cursor() as c:
            c.execute("select from sendcode.partition_epoch for update")
            self.assert_held(worker, "lock timeout")
        self.assertEqual(self.status(worker, "/healthz")[0], 200)
        holder.close()
        self.wait_ready(worker)
        self.assert_whole()

    def test_backends_killed_in_a_loop_cost_nothing(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 200})
        self.flow(600)
        for part in range(50, 450, 50):
            self.wait_messages(part)
            wait_for("backends to kill", self.break_backends)
        self.wait_decided()
        self.wait_ready(worker)
        self.assert_whole()
        self.assert_announced()


class Answers(Outage):
    tencent = {"timeout": "2"}
    worker = {"start_budget": "1"}

    def test_answers_lost_after_the_commit_double_nothing(self):
        host = dict(word.split("=", 1) for word in self.server_dsn.split())["host"]
        relay = Proxy(f"{host}/.s.PGSQL.5432")
        self.addCleanup(relay.close)
        worker = self.start_worker(
            self.write_config_for(f"{self.dsn} host=127.0.0.1 port={relay.port}"))
        for portion in range(1, 9):
            self.flow(150)
            self.wait_messages(150 * portion - 120)
            relay.lose = 1
            self.wait_decided()
        self.assertGreater(relay.lost, 4)
        self.wait_ready(worker)
        self.assert_whole()
        self.assert_announced()


if __name__ == "__main__":
    unittest.main(verbosity=2)

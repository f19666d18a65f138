"""PostgreSQL is stopped, restarted, read-only, or failed over: on a server of the test's own."""

import unittest

import psycopg2

from outage import Outage
from rig import wait_for
from servers import Postgres


class OwnServer(Outage):
    tencent = {"timeout": "2"}
    worker = {"start_budget": "1"}

    @classmethod
    def setUpClass(cls):
        cls.server = Postgres()
        cls.addClassCleanup(cls.server.stop)
        cls.server_dsn = cls.server.dsn()

    def admin(self, sql):
        admin = psycopg2.connect(self.server.dsn())
        admin.autocommit = True
        try:
            with admin.cursor() as c:
                c.execute(sql)
                return c.fetchall() if c.description else None
        finally:
            admin.close()


class Server(OwnServer):
    def test_stopped_for_longer_than_the_log_is_patient(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 100})
        self.flow(600)
        self.wait_messages(150)
        self.server.crash()
        self.wait_unready(worker, "postgres (claims): ", "postgres (outcomes): ", "No such file")
        kept = self.wait_sends_over(worker)
        self.flow(20)
        for service in ("claims", "outcomes"):
            wait_for("the log to say so again", lambda service=service: len(self.lines(
                worker, "service is not reachable", f"postgres ({service})")) == 2)
            self.assert_said_once(worker, "service is not reachable", f"postgres ({service})")
        self.assertEqual(len(self.ledger()), kept, "sent without a claim")
        self.assert_quiet(worker)
        self.server.start()
        self.wait_ready(worker)
        self.assertEqual(len(self.lines(worker, "service is back", "postgres")), 2)
        self.assert_whole()
        self.assert_announced()

    def test_restarted_again_and_again_under_load(self):
        worker = self.start_worker()
        self.flow(900)
        for part in (100, 300, 500):
            self.wait_messages(part)
            self.server.restart()
            self.wait_ready(worker)
        self.assert_whole()

    def set_read_only(self, value):
        self.admin(f"alter system set default_transaction_read_only = {value}")
        self.admin("select pg_reload_conf()")

    def test_read_only_is_waited_out(self):
        worker = self.start_worker()
        self.flow(200)
        self.wait_messages(50)
        self.set_read_only("on")
        self.addCleanup(self.set_read_only, "off")
        self.flow(5)
        said = self.wait_unready(worker, "postgres (", "read-only")
        kept = self.wait_sends_over(worker)
        self.flow(20)
        self.assert_services_said_once(worker, said)
        self.assertEqual(len(self.ledger()), kept)
        self.set_read_only("off")
        self.wait_ready(worker)
        self.assert_whole()


class Standby(OwnServer):
    def test_failover_to_a_synchronous_standby_loses_and_doubles_nothing(self):
        self.server.add_standby(self.admin)
        self.dsn = f"{self.server.dsn_of_both()} dbname={self.name} target_session_attrs=read-write"
        worker = self.start_worker(self.write_config())
        self.fault({"action": "SendSms"}, {"delay_ms": 100})
        self.flow(600)
        self.wait_messages(150)
        self.server.crash()
        self.wait_unready(worker, "postgres (claims): ", "postgres (outcomes): ")
        self.server.promote()
        self.wait_ready(worker)
        self.flow(50)
        self.assert_whole()
        self.assert_announced()

    def drop_database(self):
        """It goes with the server."""


if __name__ == "__main__":
    unittest.main(verbosity=2)

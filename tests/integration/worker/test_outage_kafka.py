"""Brokers die, on a cluster of three of the test's own: one, the group's coordinator, all."""

import unittest

from outage import Outage
from rig import wait_for
from servers import Brokers


class Brokerless(Outage):
    tencent = {"timeout": "2"}
    worker = {"start_budget": "1"}

    @classmethod
    def setUpClass(cls):
        cls.brokers = Brokers(3)
        cls.addClassCleanup(cls.brokers.stop)
        cls.bootstrap = cls.brokers.bootstrap

    def setUp(self):
        self.bring_back()
        super().setUp()

    def bring_back(self):
        self.brokers.start()
        wait_for("every replica to be in step", self.brokers.in_sync, 120)

    def test_dead_brokers_in_the_list_keep_nobody(self):
        sections = self.config()
        sections["kafka"]["bootstrap.servers"] = f"127.0.0.1:1,127.0.0.1:2,{self.bootstrap}"
        self.start_worker(self.write_config(sections))
        self.flow(20)
        self.assert_whole()
        self.assert_announced()

    def test_one_of_three_killed_stops_nothing_though_it_was_the_coordinator(self):
        worker = self.start_worker()
        other = self.start_worker()
        victim = self.brokers.coordinator(self.name)
        self.flow(600)
        self.wait_messages(100)
        self.brokers.kill(victim)
        self.wait_messages(600)
        self.flow(100)
        self.wait_decided()
        for w in (worker, other):
            self.assert_quiet(w)
            self.wait_ready(w)
            self.assertEqual(w.end(), 0)
            self.assertFalse(w.says("not left in order"), w.text())
        self.bring_back()
        self.assert_whole()
        again = self.start_worker()
        wait_for("the partitions", lambda: again.says("partitions assigned"))
        self.assertEqual(again.end(), 0)
        self.assertEqual(len(self.ledger()), 700)

    def test_all_killed_are_waited_for_by_name(self):
        worker = self.start_worker()
        self.fault({"action": "SendSms"}, {"delay_ms": 50})
        self.flow(600)
        self.wait_messages(150)
        self.brokers.kill(1, 2, 3)
        why = self.wait_unready(worker, "kafka (jobs): ", "kafka (events): ")
        self.assertIn(f"no Kafka broker is usable at {self.bootstrap}", why)
        self.wait_sends_over(worker)
        for client in ("consumer", "producer"):
            self.assert_said_once(worker, "no Kafka broker is usable", f"client={client}")
        self.assert_quiet(worker)
        self.bring_back()
        self.wait_ready(worker)
        self.flow(20)
        self.assert_whole()
        self.assert_announced()


if __name__ == "__main__":
    unittest.main(verbosity=2)

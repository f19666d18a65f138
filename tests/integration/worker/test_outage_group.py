"""Two workers share a group while it changes: both assignors under load, static members, and a jobs
topic that goes away and comes back while they run."""

import unittest

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from outage import Outage
from rig import wait_for


class Group(Outage):
    partitions = 6
    tencent = {"timeout": "2"}
    worker = {"start_budget": "1"}

    def start_with(self, name, **kafka):
        sections = self.config()
        sections["kafka"].update({k.replace("_", "."): v for k, v in kafka.items()})
        return self.start_worker(self.write_config(sections, name))

    def rebalance_under_load(self, strategy):
        """One more comes, and one goes, while jobs flow."""
        config = {"partition_assignment_strategy": strategy}
        first = self.start_with("first.conf", **config)
        self.fault({"action": "SendSms"}, {"delay_ms": 100})
        self.flow(900)
        self.wait_messages(100)
        second = self.start_with("second.conf", **config)
        wait_for("it to share", lambda: self.lines(second, "partitions assigned"))
        self.wait_messages(400)
        self.assertEqual(first.end(), 0)
        third = self.start_with("third.conf", **config)
        self.flow(100)
        self.assert_whole()
        self.assert_announced()
        return first, second, third

    def test_range_rebalances_under_load(self):
        for worker in self.rebalance_under_load("range"):
            self.assertTrue(self.lines(worker, "partitions assigned", "protocol=EAGER"))

    def test_cooperative_rebalances_under_load(self):
        for worker in self.rebalance_under_load("cooperative-sticky"):
            self.assertTrue(self.lines(worker, "partitions assigned", "protocol=COOPERATIVE"))

    def test_static_member_restarts_without_a_rebalance(self):
        stays = self.start_with("stays.conf", group_instance_id="a")
        goes = self.start_with("goes.conf", group_instance_id="b")
        wait_for("it to share", lambda: self.lines(goes, "partitions assigned"))
        wait_for("both to have settled", lambda: self.lines(stays, "partitions assigned", "n=3"))
        moves = len(self.lines(stays, "msg=\"partitions"))
        self.flow(60)
        self.wait_decided()
        self.assertEqual(goes.end(), 0)
        again = self.start_with("goes.conf", group_instance_id="b")
        wait_for("its partitions", lambda: self.lines(again, "partitions assigned", "n=3"))
        self.flow(60)
        self.assert_whole()
        self.assertEqual(len(self.lines(stays, "msg=\"partitions")), moves)


class Topic(Outage):
    partitions = 1
    kafka = {"topic.metadata.refresh.interval.ms": "500"}

    def make(self, admin, topic):
        try:
            admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
            return True
        except KafkaException:
            return False  # the broker is still deleting it

    def test_jobs_topic_deleted_is_missed_by_name_until_it_is_made_again(self):
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        topic = f"{self.name}.jobs"
        worker = self.start_worker()
        self.flow(30)
        self.wait_decided()
        admin.delete_topics([topic])[topic].result(30)
        self.wait_unready(worker, "kafka (jobs): ", f"{topic} does not exist")
        self.assert_said_once(worker, f"{topic} does not exist", "client=consumer")
        self.assert_quiet(worker)
        wait_for("the topic to be made", lambda: self.make(admin, topic))
        self.wait_ready(worker)
        self.flow(30)
        self.wait_decided()
        self.assertEqual(len(self.ledger()), 60)
        self.assertEqual(self.query("select records, jobs, gaps, next_offset from"
                                    " sendcode.accounting"), [(60, 60, 0, 30)])


if __name__ == "__main__":
    unittest.main(verbosity=2)

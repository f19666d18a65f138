"""Topics that are missing, made anew, widened, transactional: nothing is lost, accounts stay whole."""

import json
import unittest

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

from rig import BOOTSTRAP, Rig, wait_for

ADMIN = AdminClient({"bootstrap.servers": BOOTSTRAP})
WATCHER = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "watcher"})


class Topics(Rig):
    partitions = 1
    kafka = {"topic.metadata.refresh.interval.ms": "500"}

    def topic(self, name):
        return f"{self.name}.{name}"

    def drop(self, *names):
        for future in ADMIN.delete_topics([self.topic(n) for n in names]).values():
            future.result(30)

    def make(self, *names):
        def made(topic):
            try:
                ADMIN.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
                return True
            except KafkaException:
                return False  # the broker is still deleting it

        for name in names:
            wait_for(f"{name} to be made", lambda name=name: made(self.topic(name)))

    def begin_again(self):
        """The controller answers before the broker acts, which takes records into the old log."""
        partition = TopicPartition(self.topic("jobs"), 0)

        def is_empty():
            try:
                return WATCHER.get_watermark_offsets(partition, 5) == (0, 0)
            except KafkaException:
                return False

        self.drop("jobs")
        self.make("jobs")
        wait_for("the new log", is_empty)

    def send(self, *phones):
        jobs = [self.job(phone=f"+86138000000{n}") for n in phones]
        self.publish(*jobs)
        for job in jobs:
            self.wait_state(job, "sent")
        return jobs

    def accounts(self):
        return self.query("select records, jobs, invalid, gaps, next_offset"
                          " from sendcode.accounting")

    def wait_accounts(self, *expected):
        wait_for(f"accounts {expected}", lambda: self.accounts() == [expected])

    def test_log_that_begins_again_is_counted_on_top(self):
        worker = self.start_worker()
        self.send(10, 11, 12)
        self.begin_again()
        self.send(13)
        self.publish("junk")
        self.wait_accounts(5, 4, 1, 0, 2)
        self.assertEqual(worker.end(), 0)
        self.begin_again()
        self.start_worker()
        self.send(14)
        self.wait_accounts(6, 5, 1, 0, 1)
        self.assertEqual(len(self.ledger()), 5)

    def test_missing_topics_are_waited_for_by_name(self):
        self.drop("jobs", "events", "dead")
        worker = self.start_worker(ready=False)
        wait_for("the sentence", lambda: worker.says("sendcodectl migrate --topics"))
        status, why = self.status(worker, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn(self.topic("jobs"), why)
        self.make("jobs")
        self.publish("junk")
        job, = self.send(20)
        wait_for("one of the others to be missed", lambda: any(
            worker.says(f"{self.topic(name)} does not exist") for name in ("events", "dead")))
        self.make("events", "dead")
        wait_for("its event", lambda: self.events(job["job_id"]))
        wait_for("the dead letter", lambda: self.consume("dead"))
        wait_for("readiness", lambda: self.status(worker, "/readyz")[0] == 200)
        self.assert_accounts_whole()

    def test_partitions_added_are_taken_in(self):
        self.start_worker()
        topic = self.topic("jobs")
        ADMIN.create_partitions([NewPartitions(topic, 3)])[topic].result(30)
        wait_for("the partitions", lambda: len(
            ADMIN.list_topics(topic, timeout=10).topics[topic].partitions) == 3)
        jobs = [self.job(phone=f"+861380000003{n}") for n in range(3)]
        for partition, job in enumerate(jobs):
            self.publish(job, partition=partition)
        for job in jobs:
            self.wait_state(job, "sent")
        self.assert_accounts_whole()

    def test_offsets_without_records_are_gaps(self):
        self.start_worker()
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": self.name})
        producer.init_transactions()

        def transact(end, *phones):
            producer.begin_transaction()
            jobs = [self.job(phone=f"+86138000000{n}") for n in phones]
            for job in jobs:
                producer.produce(self.topic("jobs"), json.dumps(job), job["phone"])
            producer.flush()
            end()
            return jobs

        transact(producer.commit_transaction, 40, 41)
        dropped = transact(producer.abort_transaction, 42)
        transact(producer.commit_transaction, 43)
        self.send(44)
        self.wait_accounts(4, 4, 0, 4, 8)
        self.assertEqual(self.state(dropped[0]["job_id"]), (None, None))


if __name__ == "__main__":
    unittest.main(verbosity=2)

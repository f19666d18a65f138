"""Three Kafka brokers, started by scripts/kafka; the records and positions that they hold."""

import os
import pathlib
import signal
import threading

import confluent_kafka

from programs import ROOT, run

GROUP = "chaos"
TOPICS = {"jobs": "chaos.jobs", "events": "chaos.events", "dead": "chaos.dead"}


class Brokers:
    count = 3

    def __init__(self, folder, doors):
        """To clients that come in by a door, a proxy stands between them and each broker."""
        self.doors = doors
        self.folder = pathlib.Path(folder)
        self.lock = threading.Lock()  # held by whoever has one down: never two at once
        self.bootstrap = None

    def start(self):
        """Starts what is down, and waits until each serves."""
        for tries_left in (2, 1, 0):  # a busy machine may not start one in time
            try:
                run(ROOT / "scripts" / "kafka", "start", "--brokers", self.count, "--doors",
                    self.doors, self.folder)
                break
            except RuntimeError:
                if tries_left == 0:
                    raise
        self.bootstrap = (self.folder / "bootstrap").read_text(encoding="utf-8").strip()

    def door(self, door):
        """{broker: (port that clients are told, port that the broker listens at)}"""
        lines = (self.folder / "doors").read_text(encoding="utf-8").splitlines()
        return {int(broker): (int(told), int(port))
                for broker, number, port, told in map(str.split, lines) if int(number) == door}

    def pid(self, number):
        return int((self.folder / f"broker-{number}.pid").read_text(encoding="utf-8"))

    def tell(self, number, sig):
        os.kill(self.pid(number), sig)

    def alive(self, number):
        """Also while it is a zombie it is gone: nobody here is its parent."""
        stat = pathlib.Path(f"/proc/{self.pid(number)}/stat")
        try:
            return stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def in_sync(self):
        """Every partition has all its replicas: another broker may go."""
        consumer = self.consumer()
        try:
            topics = consumer.list_topics(timeout=10).topics.values()
        except confluent_kafka.KafkaException:
            return False
        finally:
            consumer.close()
        return all(len(p.isrs) == len(p.replicas) for t in topics for p in t.partitions.values())

    def tear_down(self):
        for pid_file in self.folder.glob("broker-*.pid"):
            try:
                os.kill(int(pid_file.read_text(encoding="utf-8")), signal.SIGKILL)
            except (ProcessLookupError, ValueError):
                pass
        run(ROOT / "scripts" / "kafka", "stop", self.folder)

    # --- what they hold, as a client sees it ---

    def consumer(self):
        return confluent_kafka.Consumer({
            "bootstrap.servers": self.bootstrap, "group.id": GROUP, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", "log_level": 2})

    def partitions(self, consumer, topic):
        found = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        return [confluent_kafka.TopicPartition(topic, p) for p in sorted(found)]

    def ends(self, consumer, topic):
        """{partition: (first offset, one past the last)}"""
        return {p.partition: consumer.get_watermark_offsets(p, timeout=30)
                for p in self.partitions(consumer, topic)}

    def committed(self, consumer, topic):
        asked = consumer.committed(self.partitions(consumer, topic), timeout=30)
        return {p.partition: max(p.offset, 0) for p in asked}

    def read(self, topic):
        """Every record of the topic, partition by partition."""
        consumer = self.consumer()
        try:
            ends = {p: end for p, (first, end) in self.ends(consumer, topic).items() if end > first}
            begin = confluent_kafka.OFFSET_BEGINNING
            consumer.assign([confluent_kafka.TopicPartition(topic, p, begin) for p in ends])
            while ends:
                message = consumer.poll(30)
                if message is None:
                    raise TimeoutError(f"{topic} gave no record for 30 s")
                if message.error():
                    continue
                yield message
                if message.offset() + 1 >= ends.get(message.partition(), 0):
                    ends.pop(message.partition(), None)
        finally:
            consumer.close()

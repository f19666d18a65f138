"""The load: a steady stream of jobs with bursts, and among them what makes trouble. Each record
says in the header `chaos-intent` what it is meant to be, so that the topic explains itself."""

import json
import random
import threading
import time

import confluent_kafka

from kafka import TOPICS
from programs import rfc3339

LETTERS = "bcdfghkmnpqrstvwxz"  # no digits: a job's name must not look like its code
HOT_PHONES = 300
REMEMBERED = 3000
BURST_EVERY = 15  # seconds
TICK = 0.02

# What is wrong with a record that is no job. None: a tombstone.
BROKEN = [
    lambda job: None,
    lambda job: "{",
    lambda job: json.dumps({**job, "v": 2}),
    lambda job: json.dumps({**job, "code": "000000"}),
    lambda job: json.dumps({**job, "phone": "13800138000"}),
    lambda job: json.dumps({**job, "scene": "nowhere"}),
    lambda job: json.dumps({**job, "tenant": "x"}),
    lambda job: json.dumps({k: v for k, v in job.items() if k != "requested_at"}),
    lambda job: json.dumps(job) + "}",
    lambda job: json.dumps({**job, "deadline": job["requested_at"]}),
    lambda job: json.dumps({**job, "requested_at": rfc3339(time.time() + 3600)}),
]


class Load:
    def __init__(self, bootstrap, seed, rate):
        self.dice = random.Random(f"load {seed}")
        self.rate = rate
        self.producer = confluent_kafka.Producer({
            # Not idempotent: losing its brokers, librdkafka may lose count ("out of order sequence
            # number") and give up for good. A record that is there twice is a duplicate like others.
            "bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 2,
            "message.timeout.ms": 300000, "log_level": 2,
            "queue.buffering.max.messages": 500000})
        self.serial = 0
        self.recent = []
        self.published = self.acked = self.failed = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, name="load")
        self.error = None

    def start(self):
        self.thread.start()

    def end(self):
        """No more; returns when all is acknowledged."""
        self.ended.set()
        self.thread.join()
        self.producer.flush(120)
        if self.error:
            raise self.error

    def run(self):
        try:
            begun, done, next_burst = time.monotonic(), 0, BURST_EVERY
            while not self.ended.is_set():
                elapsed = time.monotonic() - begun
                due = int(elapsed * self.rate * 0.85)
                for _ in range(min(due - done, 200)):
                    self.publish_something()
                    done += 1
                if elapsed > next_burst:  # the rest of the rate comes in bursts
                    for _ in range(int(self.rate * 0.15 * BURST_EVERY)):
                        self.publish_something()
                    next_burst += BURST_EVERY
                self.producer.poll(TICK)
        except Exception as e:
            self.error = e

    # --- what is published ---

    def name(self):
        self.serial += 1
        n, name = self.serial, ""
        while n:
            n, rest = divmod(n, len(LETTERS))
            name += LETTERS[rest]
        return f"job-{''.join(self.dice.choices(LETTERS, k=6))}-{name}"

    def new_phone(self):
        return f"+861{self.dice.randrange(3, 10)}{self.dice.randrange(10**9):09d}"

    def job(self, **fields):
        return {"v": 1, "job_id": self.name(), "phone": self.new_phone(),
                "scene": self.dice.choices(("register", "login", "fresh"), (6, 2, 2))[0],
                "requested_at": rfc3339(time.time()), **fields}

    def publish_something(self):
        draw = self.dice.random()
        if draw < 0.02:
            job = self.job()
            self.publish(job["phone"], self.dice.choice(BROKEN)(job), "invalid")
        elif draw < 0.05 and self.recent:
            self.publish_again()
        elif draw < 0.11:
            self.publish_job(self.job(phone=f"+86138{self.dice.randrange(HOT_PHONES):08d}"))
        elif draw < 0.15 and self.recent:  # somebody who does not wait for the first SMS
            phone = self.dice.choice(self.recent[-200:])["phone"]
            self.publish_job(self.job(phone=phone))
        elif draw < 0.18:
            self.publish_job(self.job(deadline=rfc3339(time.time() + self.dice.uniform(1, 6))))
        elif draw < 0.185:
            self.publish_job(self.job(phone=f"+1202555{self.dice.randrange(10**4):04d}"))
        elif draw < 0.19:
            self.publish_job(self.job(requested_at=rfc3339(time.time() - 90000)))
        elif draw < 0.20:
            self.publish_job(self.job(), key=self.dice.choice((None, "another key")))
        else:
            self.publish_job(self.job())

    def publish_job(self, job, key=""):
        self.publish(job["phone"] if key == "" else key, json.dumps(job), "job")
        self.recent.append(job)
        if len(self.recent) > REMEMBERED:
            self.recent = self.recent[REMEMBERED // 2:]

    def publish_again(self):
        """The same job in another record, whatever else it says; soon after the first or later."""
        newest = self.dice.random() < 0.5
        job = dict(self.recent[-1] if newest else self.dice.choice(self.recent))
        if self.dice.random() < 0.2:
            job.update(phone=self.new_phone(), requested_at=rfc3339(time.time()))
            job.pop("deadline", None)
        # Another partition, so that two workers meet the two records at the same time.
        self.publish(job["phone"], json.dumps(job), "again", self.dice.randrange(12))

    def publish(self, key, value, intent, partition=None):
        where = {} if partition is None else {"partition": partition}
        self.producer.produce(TOPICS["jobs"], value, key, headers={"chaos-intent": intent},
                              on_delivery=self.on_delivery, **where)
        self.published += 1

    def on_delivery(self, error, _message):
        if error:
            self.failed += 1
        else:
            self.acked += 1

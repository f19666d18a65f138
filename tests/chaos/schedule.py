"""The seeded schedule: which fault begins when. Faults overlap; those that need the same target
wait for each other."""

import json
import random
import threading
import time

from faults import KINDS
from programs import say

MEAN_PAUSE = 2.7  # seconds between two beginnings: over 1200 in an hour


def make(seed, seconds):
    """[(seconds from the beginning, kind, what was drawn)]: the failover about the middle; every
    other kind once, as far as there is time, then by weight."""
    dice = random.Random(f"faults {seed}")
    names = sorted(name for name, (weight, _, _) in KINDS.items() if weight)
    weights = [KINDS[name][0] for name in names]
    first = dice.sample(names, len(names))
    plan, at = [], 2.0
    while at < seconds - 5:
        name = first.pop() if first else dice.choices(names, weights)[0]
        plan.append((at, name, KINDS[name][1](dice)))
        at += dice.expovariate(1 / MEAN_PAUSE)
    middle = seconds * dice.uniform(0.35, 0.6)
    plan.append((middle, "failover", KINDS["failover"][1](dice)))
    return sorted(plan, key=lambda entry: entry[0])


class Faults:
    def __init__(self, system, plan, log):
        self.system = system
        self.plan = plan
        self.log = open(log, "w", encoding="utf-8")
        self.lock = threading.Lock()
        self.threads = []
        self.broken = []  # faults that could not be inflicted or healed: the run is worth nothing

    def run(self):
        begun = time.monotonic()
        for at, name, drawn in self.plan:
            time.sleep(max(0, begun + at - time.monotonic()))
            for worker in self.system.workers:
                if not worker.lock.locked():
                    worker.look()
            thread = threading.Thread(target=self.inflict, args=(name, dict(drawn)), name=name)
            thread.start()
            self.threads.append(thread)

    def heal(self):
        """Returns when every fault has ended."""
        for thread in self.threads:
            thread.join()
        for node in (0, 1):  # a fault that failed half-way may have left one down
            self.system.postgres.start(node)
        for worker in self.system.workers:
            worker.look()
        self.log.close()

    def inflict(self, name, fault):
        try:
            KINDS[name][2](self.system, fault)
        except Exception as e:
            say(f"fault {name}: {e!r}")
            with self.lock:
                self.broken.append(f"{name}: {e!r}")
        fault = {"kind": name, "begin": time.time(), **fault, "end": time.time()}
        with self.lock:
            self.log.write(json.dumps(fault) + "\n")
            self.log.flush()

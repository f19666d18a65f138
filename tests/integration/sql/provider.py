"""A provider on the real clock: requests arrive late or never, its records lag, and its receipts
come soon, late, twice or never."""
import collections
import heapq
import random
import threading
import time

LIFE = 0.2  # from the claim: a request that arrives later is refused
LAG = 0.2   # its records show a message at most so long after it was accepted


class Provider:
    def __init__(self, seed):
        self.lock = threading.Lock()
        self.rng = random.Random(seed)
        self.under_way = []
        self.records = collections.defaultdict(list)  # by phone: when visible, serial, at, accepted
        self.accepted = collections.Counter()  # by job
        self.serials = {}
        self.receipts = []  # when due, SerialNo, phone, status, when the phone had it

    def arrive(self, phone, job_id, not_after):
        """The answer to a request that arrives now: a SerialNo, "refused" or "stale"."""
        with self.lock:
            return self._arrive(phone, job_id, not_after)

    def _arrive(self, phone, job_id, not_after):
        at = time.time()
        if at > not_after:
            return "stale"
        accepted = self.rng.random() < 0.85
        serial = f"S{len(self.serials)}" if accepted else ""
        self.records[phone].append((at + self.rng.random() * LAG, serial, at, accepted))
        if not accepted:
            return "refused"
        self.serials[serial] = job_id
        self.accepted[job_id] += 1
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 3))):
            status = "SUCCESS" if self.rng.random() < 0.8 else "FAIL"
            heapq.heappush(self.receipts, (at + self.rng.random() ** 3, serial, phone, status, at))
        return serial

    def send_later(self, delay, phone, job_id, not_after, done=None):
        """A request whose answer nobody hears, but for done."""
        with self.lock:
            heapq.heappush(self.under_way, (time.time() + delay, len(self.serials), id(done),
                                            phone, job_id, not_after, done))

    def run(self):
        """Lets arrive what is due; returns whether anything is under way."""
        while True:
            with self.lock:
                if not self.under_way or self.under_way[0][0] > time.time():
                    return bool(self.under_way)
                *_, phone, job_id, not_after, done = heapq.heappop(self.under_way)
                answer = self._arrive(phone, job_id, not_after)
            if done is not None and answer not in ("stale", "refused"):
                done(answer)

    def due_receipts(self):
        with self.lock:
            due = []
            while self.receipts and self.receipts[0][0] <= time.time():
                due.append(heapq.heappop(self.receipts)[1:])
            return due

    def tell(self, phone, since):
        """Its records of a number, as columns: SerialNo, time, accepted, state, reason, code."""
        with self.lock:
            shown = [r for r in self.records[phone] if r[0] <= time.time() and r[2] >= since]
        return [(serial, at, accepted, None if accepted else "rejected",
                 None if accepted else "number", "Ok" if accepted else "X.Y")
                for _, serial, at, accepted in shown]

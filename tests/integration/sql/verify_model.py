"""What a phone's codes and tries are, as CONTRACT.md says it: a model to hold sendcode.verify against.

Times are whole seconds since the history began. What is compared with "now" here came before it, so
that equal means over, as in the database, where it is a moment later.
"""
import dataclasses

GRACE, DAY = 30, 86400
NOT_AFTER, TAKEOVER, SETTLE_GRACE, RECORD_LIFE = 17, 20, 5, 72 * 3600


@dataclasses.dataclass(eq=False)
class Code:
    """carriers: the jobs whose last attempt says it, the latest last; not the certainly unsent.
    newest: the latest time at which one that was accepted had been requested.
    erased: sweep met it after its grace, and left only its times where it stood."""
    nonce: bytes
    code_key: bytes
    verify_key: bytes
    length: int
    start: int
    end: int
    carriers: list = dataclasses.field(default_factory=list)
    newest: int = None
    erased: bool = False

    def lives(self, now):
        return now < self.end + GRACE

    def repeatable(self, now, known_keys):
        return now < self.start + (self.end - self.start) // 2 and self.code_key in known_keys

    def doubtful(self):
        return any(j.state in ("in_doubt", "unknown") for j in self.carriers)

    def named(self):
        """The latest job that was not certainly unsent, else the one that waits."""
        return max(self.carriers, key=lambda j: (j.state != "retry", self.carriers.index(j)))


@dataclasses.dataclass(eq=False)
class Job:
    """unsent_by: its former owner said, too late to decide, that it did not send it."""
    scene: str
    requested: int
    deadline: int
    resend_same: bool
    state: str = "new"
    code: Code = None
    claimed: int = 0
    verified: bool = False
    unsent_by: bool = False
    taken_over: bool = False
    parked_until: int = None  # settled as unsent, with nobody's offset: until then sweep waits
    row: dict = None
    answer: object = None
    claim_id: object = None
    told: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Challenge:
    live: Code = None
    next: Code = None
    next_job: Job = None
    busy_until: int = 0
    budget: dict = None
    tries: int = 0
    tries_from: int = 0
    day_tries: int = 0
    day_tries_from: int = 0

    def spend(self, now, window):
        """The wrong tries in both windows; those of a window that is over are none."""
        return (self.tries if now < self.tries_from + window else 0,
                self.day_tries if now < self.day_tries_from + DAY else 0)

    def locked_for(self, now, budget):
        """Seconds, 0: not locked."""
        tries, day_tries = self.spend(now, budget["tries_window"])
        ends = [0]
        if tries >= budget["max_tries"]:
            ends.append(self.tries_from + budget["tries_window"] - now)
        if day_tries >= budget["max_tries_day"]:
            ends.append(self.day_tries_from + DAY - now)
        return max(ends)

    def tries_left(self, now):
        tries, day_tries = self.spend(now, self.budget["tries_window"])
        return min(self.budget["max_tries"] - tries, self.budget["max_tries_day"] - day_tries)

    def count_wrong(self, now):
        tries, day_tries = self.spend(now, self.budget["tries_window"])
        self.tries, self.day_tries = tries + 1, day_tries + 1
        self.tries_from = self.tries_from if tries else now
        self.day_tries_from = self.day_tries_from if day_tries else now

    def late(self, job, now):
        """A later job is under way, or its code lives."""
        other = self.next_job
        under_way = other not in (None, job) and other.requested > job.requested \
            and other.state in ("claimed", "retry", "in_doubt")
        return under_way or bool(self.live) and self.live.lives(now) and not self.live.erased \
            and self.live.newest > job.requested

    def refill(self):
        self.tries = self.day_tries = 0

    def leave_next(self):
        self.next = self.next_job = None
        self.busy_until = 0


class Model:
    """One phone. Keys are in the order of the setting: the first makes, all are known."""

    def __init__(self, scenes, code_keys, verify_keys):
        self.now = 0
        self.challenges = {s: Challenge() for s in scenes}
        self.code_keys, self.verify_keys = code_keys, verify_keys
        self.jobs = []

    def busy(self, job):
        return any(c.next_job is not job and self.now < c.busy_until
                   for c in self.challenges.values())

    def chosen(self, job, length):
        """The code that a claim says again, None for a new one."""
        c = self.challenges[job.scene]
        if c.next and c.next.doubtful() and c.next.repeatable(self.now, self.code_keys):
            return c.next
        if c.live and job.resend_same and c.live.length == length \
                and c.live.repeatable(self.now, self.code_keys):
            return c.live
        if job.state == "retry" and c.next_job is job and c.next and c.next is not c.live \
                and not c.next.erased and not c.next.doubtful() and c.next.code_key in self.code_keys:
            return c.next
        return None

    def claim(self, job, nonce, ttl, length, budget):
        """The verdict with the code to send, or the seconds for which it is locked."""
        c = self.challenges[job.scene]
        if job.deadline <= self.now:
            self.unsent(job)
            return "decided", "expired"
        if c.late(job, self.now):
            self.unsent(job)
            return "decided", "superseded"
        barred = c.locked_for(self.now, budget)
        if barred:
            self.unsent(job)
            return "decided", barred
        if self.busy(job):
            return "busy", None
        code = self.chosen(job, length)
        own = job.state == "retry" and code is job.code and code is not c.live \
            and code is not None and not code.doubtful()
        if job.code and job in job.code.carriers:
            job.code.carriers.remove(job)
        if code is None:
            code = Code(nonce, self.code_keys[0], self.verify_keys[0], length, 0, 0)
        if own or not code.end:
            code.start, code.end = self.now, self.now + ttl
        if c.next_job not in (None, job) and c.next_job.state == "retry":
            self.forget(c.next_job)  # superseded
        job.state, job.code, job.claimed = "claimed", code, self.now
        job.unsent_by = job.taken_over = False
        code.carriers.append(job)
        c.next, c.next_job, c.budget = code, job, budget
        c.busy_until = self.now + RECORD_LIFE
        return "send", code

    def come_back(self, job):
        """Another claim meets a job that is claimed."""
        if self.now < job.claimed + TAKEOVER:
            return "wait"
        job.state, job.taken_over = "in_doubt", True
        return "decided"

    def claim_again(self, job, nonce, ttl, length, budget):
        """The answer of the job's claim was lost: the code to send."""
        c = self.challenges[job.scene]
        if c.next and not c.next.erased:
            return c.next
        if job.code:
            job.code.carriers.remove(job)
        job.code = c.next = Code(nonce, self.code_keys[0], self.verify_keys[0], length, self.now,
                                 self.now + ttl, [job])
        c.budget, c.busy_until = budget, self.now + RECORD_LIFE
        return c.next

    def wait(self, job):
        if job.deadline <= self.now:
            self.unsent(job)
        else:
            job.state = "retry"
            self.challenges[job.scene].busy_until = 0

    def accepted(self, job):
        c = self.challenges[job.scene]
        job.state = "sent"
        if c.next is job.code:
            c.live = job.code
        if job.code and c.live is job.code:
            c.live.newest = max(c.live.newest or job.requested, job.requested)
        if c.next_job is job:
            c.leave_next()

    def forget(self, job):
        job.state = "unsent"
        if job.code and job in job.code.carriers:
            job.code.carriers.remove(job)

    def unsent(self, job):
        """For good: its code goes, unless another job that may have been sent carried it."""
        c = self.challenges[job.scene]
        self.forget(job)
        if c.next_job is not job:
            return
        doubts = [j for j in c.next.carriers if j.state in ("in_doubt", "unknown")] \
            if c.next else []
        code = c.next
        c.leave_next()
        if doubts:
            c.next, c.next_job = code, doubts[-1]

    def settle_unsent(self, job, asked_at):
        """What the provider's silence makes of a job in doubt: "unsent", or nothing yet."""
        silent = asked_at >= job.claimed + NOT_AFTER + SETTLE_GRACE and not job.verified
        if not silent and not job.unsent_by:
            return "open"
        if job.state == "in_doubt" and self.now < job.deadline:
            self.wait(job)
            job.parked_until = job.deadline + SETTLE_GRACE
        else:
            self.unsent(job)
        return "unsent"

    def sweep(self):
        for job in self.jobs:
            if job.state == "in_doubt" and job.deadline <= self.now:
                job.state = "unknown"
                self.challenges[job.scene].busy_until = job.claimed + NOT_AFTER
        for job in self.jobs:
            if job.parked_until is None or self.now < job.parked_until:
                continue
            if job.state == "retry":
                self.unsent(job)
                job.parked_until = None
            elif job.state == "claimed" and self.now < job.claimed + TAKEOVER:
                job.parked_until = max(job.parked_until, job.claimed + TAKEOVER)
            elif job.state == "claimed" and job.unsent_by:
                job.state = "retry"
                self.challenges[job.scene].busy_until = 0
            elif job.state == "claimed":
                job.state, job.parked_until, job.taken_over = "in_doubt", None, True
            else:
                job.parked_until = None
        for c in self.challenges.values():
            for code in (c.next, c.live):
                if code and not code.lives(self.now):
                    code.erased = True

    def verify(self, scene, nonce, keys):
        """verdict, tries_left, seconds, job: of the code of this nonce under these keys."""
        c = self.challenges[scene]
        codes = [code for code in (c.next, c.live) if code]
        if not any(self.now < code.end + GRACE + DAY for code in codes):
            return "none", None, None, None
        barred = c.locked_for(self.now, c.budget)
        if barred:
            return "locked", 0, barred, None
        alive = [code for code in codes if code.lives(self.now)]
        if not alive:
            return "expired", c.tries_left(self.now), None, None
        right = [code for code in alive if code.nonce == nonce and code.verify_key in keys]
        if not right:
            c.count_wrong(self.now)
            return "wrong", c.tries_left(self.now), None, None
        job = right[0].named()
        job.verified = True
        c.refill()
        c.next = c.live = None  # a job under way stays, without a code
        return "ok", None, None, job

"""The limits, over scenes and over all, and a model of CONTRACT.md section 5 say the same in random
histories of batches, retries, redeliveries, doubts, jobs that take another's place, and passing time.

SENDCODE_LIMITS_HISTORIES=20000 makes it a soak; by itself it takes some seconds. Time passes by
moving what is stored back; a history that comes near the end of a window is thrown away.
"""
import datetime
import os
import unittest

from hypothesis import HealthCheck, assume, given, settings, strategies as st

from support import DatabaseTest, TOPIC, now

HISTORIES = int(os.environ.get("SENDCODE_LIMITS_HISTORIES", "40"))
HOUR, DAY = 3600, 86400
SLACK = 5  # seconds that a history may take
SILENT = 22  # seconds from a claim on: then no record means that it was not sent
SETTLE = ("select * from sendcode.settle('s', %s, %s, %s, %s, 5000, true, true, null, '{}', '{}',"
          " '{}', '{}', '{}', '{}')")
ORDER = ("cooldown", "per_hour", "per_day", "phone", "address", "provider_limit")

JOB = st.fixed_dictionaries({
    "scene": st.sampled_from(("login", "register")), "ip": st.sampled_from((0, 1, None)),
    "within": st.sampled_from((300, 20000)),
    "end": st.sampled_from(("sent", "sent", "sent", "rejected", "limited", "retry", "in_doubt"))})
STEP = st.one_of(
    st.tuples(st.just("batch"), st.lists(st.tuples(st.integers(0, 4), JOB), min_size=1, max_size=5,
                                         unique_by=lambda job: job[0])),
    st.tuples(st.just("again"), st.tuples(st.integers(0, 99), JOB)),
    st.tuples(st.just("settle"), st.tuples(st.integers(0, 99), st.booleans(),
                                           st.sampled_from((0, 31)), st.sampled_from((0, 0, 307)))),
    st.tuples(st.just("sweep"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from((107, 1009, 3677, 30011, 86477))),
    st.tuples(st.just("midnight"), st.none()))
LIMITS = st.fixed_dictionaries({
    "phone_per_day": st.sampled_from((0, 1, 2, 4)), "address_per_hour": st.sampled_from((0, 1, 3)),
    "address_per_day": st.sampled_from((0, 2, 4)), "provider_per_day": st.sampled_from((0, 1, 2)),
    "provider_interval": st.just(0)})
SCENE = st.fixed_dictionaries({
    "cooldown": st.sampled_from((0, 60, 4000)), "per_hour": st.sampled_from((0, 1, 3)),
    "per_day": st.sampled_from((0, 2, 4))})


class Window:
    def __init__(self, length):
        self.length, self.opened, self.jobs = length, None, 0

    def until(self, t, limit):
        """When it takes the next one; None: now."""
        over = self.opened is None or self.opened + self.length <= t
        full = limit > 0 and not over and self.jobs >= limit
        return self.opened + self.length if full else None

    def charge(self, t):
        if self.opened is None or self.opened + self.length <= t:
            self.opened, self.jobs = t, 0
        self.jobs += 1


class Model:
    def __init__(self, limits, scene):
        self.t = 0.0
        self.limits, self.scene = limits, scene
        self.charged, self.waiting, self.mirror, self.windows = {}, {}, {}, {}
        self.doubts = {}  # by job: phone, scene, deadline, claimed at, its state

    def window(self, *name):
        return self.windows.setdefault(name, Window(HOUR if "hour" in name else DAY))

    def near_an_end(self):
        """The real clock could matter."""
        ends = [w.opened + w.length for w in self.windows.values() if w.opened is not None]
        ends += [at + self.scene["cooldown"] for at, _ in self.charged.values()]
        ends += [due for _, due in self.waiting.values()]
        ends += [end for *_, due, at, _ in self.doubts.values() for end in (due, at + SILENT)]
        return any(abs(end - self.t) < SLACK for end in ends)

    def decide(self, job, phone, given):
        """A new job's limits that refuse it, and when each is over; None: its phone is busy."""
        scene, ip = (phone, given["scene"]), given["ip"]
        of = self.limits
        if scene not in self.waiting:
            until = {
                "cooldown": self.charged[scene][0] + self.scene["cooldown"]
                            if scene in self.charged and self.scene["cooldown"] else None,
                "per_hour": self.window("scene", "hour", *scene).until(
                    self.t, self.scene["per_hour"]),
                "per_day": self.window("scene", "day", *scene).until(
                    self.t, self.scene["per_day"]),
                "phone": self.window("phone", "day", phone).until(self.t, of["phone_per_day"]),
                "address": None if ip is None else max(filter(None, (
                    self.window("ip", "hour", ip).until(self.t, of["address_per_hour"]),
                    self.window("ip", "day", ip).until(self.t, of["address_per_day"]))),
                    default=None),
                "provider_limit": float("inf") if 0 < of["provider_per_day"]
                    <= len(self.mirror.get(phone, ())) else None}
            running = {k: v for k, v in until.items() if v is not None and v > self.t}
            # When the day of the provider ends is real time: told apart by the caller.
            if running:
                return running
        if any(d[0] == phone and d[4] == "in_doubt" for d in self.doubts.values()):
            return None
        if scene not in self.waiting:
            self.charged[scene] = (self.t, job)
            self.window("scene", "hour", *scene).charge(self.t)
            self.window("scene", "day", *scene).charge(self.t)
            if of["phone_per_day"] or of["provider_per_day"]:
                self.window("phone", "day", phone).charge(self.t)
            if ip is not None and (of["address_per_hour"] or of["address_per_day"]):
                self.window("ip", "hour", ip).charge(self.t)
                self.window("ip", "day", ip).charge(self.t)
        else:
            old, _ = self.waiting.pop(scene)
            self.mirror.get(phone, set()).discard(old)
            if scene in self.charged:
                self.charged[scene] = (self.charged[scene][0], job)
        self.attempt(job, phone)
        return {}

    def attempt(self, job, phone):
        if self.limits["provider_per_day"]:
            self.mirror.setdefault(phone, set()).add(job)

    def end(self, job, phone, given, state, due):
        scene = (phone, given["scene"])
        self.waiting = {k: v for k, v in self.waiting.items() if v[0] != job}
        if state == "retry":
            self.waiting[scene] = (job, due)
        elif state == "in_doubt":
            self.doubts[job] = (phone, given["scene"], due, self.t, state)
        elif state != "sent":
            self.mirror.get(phone, set()).discard(job)
            if self.charged.get(scene, (0, None))[1] == job:
                del self.charged[scene]

    def settle(self, job, accepted, asked_at):
        """What becomes of a job in doubt, or unknown, that the provider knows or never had."""
        phone, scene, due, at, state = self.doubts[job]
        if not accepted and asked_at < at + SILENT:
            return "open"
        del self.doubts[job]
        if accepted or state == "unknown":
            return "sent" if accepted else "unsent"
        self.end(job, phone, {"scene": scene}, "retry" if self.t < due else "expired", due)
        return "unsent"

    def sweep(self):
        for job, (phone, scene, due, at, _) in self.doubts.items():
            if due <= self.t:
                self.doubts[job] = (phone, scene, due, at, "unknown")


class LimitsProperties(DatabaseTest):
    def begin(self, limits, scene):
        self.setUp()
        self.history = type(self).phone_number
        self.phones = [f"{self.phone[:6]}{n}{self.history:07d}" for n in range(5)]
        self.worker.limits.update(limits)
        self.worker.cursor.execute("set synchronous_commit = off")
        self.model = Model(limits, scene)
        self.jobs = []
        self.sql("delete from sendcode.address_limit")
        self.sql("delete from sendcode.parked")
        self.sql("update sendcode.pace set asked_at = '{}'")

    def batch(self, jobs):
        """Claims new jobs, one a phone, and ends those that are to be sent."""
        self.model.t += 0.0001
        rows = []
        for phone, given in jobs:
            ip = None if given["ip"] is None else f"2001:db8:0:{given['ip']}::{len(self.jobs):x}"
            rows.append(self.worker.job(
                phone=self.phones[phone], scene=given["scene"], client_ip=ip, resend_same=False,
                deadline=now() + datetime.timedelta(seconds=given["within"]),
                **self.model.scene))
        answers = self.worker.claim(*rows)
        for (phone, given), row, answer in zip(jobs, rows, answers):
            running = self.model.decide(row["job_id"], phone, given)
            said = (answer.state, answer.reason)
            if running is None:
                self.assertEqual(answer.verdict, "busy")
                continue
            if not running:
                self.assertEqual(said, ("claimed", None))
                self.end(row, answer, phone, given, self.model.t + given["within"])
                continue
            provider = running.pop("provider_limit", None)
            if provider and answer.reason == "provider_limit":
                # The end of the day in China is later than all the others.
                self.assertTrue(all(v - self.model.t < answer.retry_after + SLACK
                                    for v in running.values()), (said, running))
                continue
            self.assertTrue(running, said)
            longest = max(running.values())
            reason = next(r for r in ORDER if running.get(r) == longest)
            self.assertEqual(said, ("limited", reason))
            self.assertTrue(abs(answer.retry_after - (longest - self.model.t)) <= SLACK,
                            (answer.retry_after, longest - self.model.t))

    def end(self, row, answer, phone, given, due):
        self.worker.record_one(row, answer, given["end"])
        self.jobs = [j for j in self.jobs if j[0] is not row] + [(row, phone, given, due, answer)]
        self.model.end(row["job_id"], phone, given, given["end"], due)

    def again(self, pick, ending):
        """A record comes again; if it waits, it is sent."""
        if not self.jobs:
            return
        row, phone, given, due, _ = self.jobs[pick % len(self.jobs)]
        self.model.t += 0.0001
        waits = any(job == row["job_id"] for job, _ in self.model.waiting.values())
        answer = self.worker.claim_one(row)
        if not waits:
            self.assertEqual(answer.verdict, "known")
        elif due <= self.model.t:
            self.assertEqual((answer.verdict, answer.state), ("decided", "expired"))
            self.model.end(row["job_id"], phone, given, "expired", due)
        elif any(d[0] == phone and d[4] == "in_doubt" for d in self.model.doubts.values()):
            self.assertEqual(answer.verdict, "busy")
        else:
            self.assertEqual(answer.verdict, "send")
            self.model.attempt(row["job_id"], phone)
            self.end(row, answer, phone, dict(given, end=ending["end"]), due)

    def settle(self, pick, accepted, before, during):
        """The provider is asked about a job, and that takes a while."""
        doubts = [j for j in self.jobs if j[0]["job_id"] in self.model.doubts]
        if not doubts:
            return
        row, _, _, due, answer = doubts[pick % len(doubts)]
        job = row["job_id"]
        self.wait(before)
        if due <= self.model.t:
            self.sweep()
        if accepted:
            self.worker.record_one(row, answer, "sent")
            self.model.settle(job, True, self.model.t)
            return
        self.sql("update sendcode.parked set ask_at = now() - interval '1 ms', lease_until = null"
                 " where job_id = %s", job)
        taken = [t for t in self.sql("select * from sendcode.take_parked('s', %s, 100, 0, 9000,"
                                     " 100000, 5000)", TOPIC) if t.job_id == job][0]
        asked_at = self.model.t
        self.wait(during)
        self.assertEqual(self.sql(SETTLE, job, taken.day, taken.lease, taken.attempt)[0].how,
                         self.model.settle(job, False, asked_at))

    def sweep(self):
        self.sql("select sendcode.sweep()")
        self.model.sweep()
        for scene, (job, due) in list(self.model.waiting.items()):
            if self.sql("select 1 from sendcode.delivery where job_id = %s"
                        " and state = 'expired'", job):
                self.assertLessEqual(due, self.model.t)
                self.model.end(job, scene[0], {"scene": scene[1]}, "expired", due)

    def wait(self, seconds):
        if seconds:
            self.model.t += seconds
            for phone in self.phones:
                self.phone = phone
                self.age(seconds)
            self.sql("update sendcode.address_limit set hour_from = hour_from - %s * interval '1 s',"
                     " day_from = day_from - %s * interval '1 s'", seconds, seconds)
            assume(not self.model.near_an_end())
            # A record that waits comes again long before; after two days its challenge is deleted.
            assume(all(self.model.t < due + DAY for _, due in self.model.waiting.values()))

    def midnight(self):
        self.model.mirror.clear()
        self.sql("update sendcode.phone_limit set provider_day = provider_day - 1"
                 " where phone = any (%s)", self.phones)

    def jobs_of(self, opened, *name):
        """What a window has to count; sweep deletes rows whose windows are over."""
        window = self.model.window(*name)
        over = window.opened is None or window.opened + window.length <= self.model.t
        return 0 if opened is None and over else window.jobs

    def check_counts(self):
        """What is stored counts what the model counts."""
        for number in (0, 1):
            for row in self.sql("select * from sendcode.address_limit where address = %s",
                                f"2001:db8:0:{number}::/64"):
                self.assertEqual((row.hour_jobs, row.day_jobs),
                                 (self.jobs_of(row.hour_from, "ip", "hour", number),
                                  self.jobs_of(row.day_from, "ip", "day", number)))
        for row in self.sql("select * from sendcode.challenge where phone = any (%s)", self.phones):
            scene = self.phones.index(row.phone), row.scene
            self.assertEqual(row.charged_job_id, self.model.charged.get(scene, (0, None))[1])
        for number, phone in enumerate(self.phones):
            counted = self.model.limits["phone_per_day"] or self.model.limits["provider_per_day"]
            for row in self.sql("select * from sendcode.phone_limit where phone = %s", phone):
                self.assertEqual(row.day_jobs, self.jobs_of(row.day_from, "phone", "day", number)
                                 if counted else 0)
                if row.provider_day is not None and self.sql(
                        "select sendcode.provider_day(now()) = %s", row.provider_day)[0][0]:
                    self.assertEqual(set(row.provider_jobs), self.model.mirror.get(number, set()))
                    self.assertEqual(len(row.provider_jobs), len(set(row.provider_jobs)))

    @settings(max_examples=HISTORIES, deadline=None, database=None, print_blob=False,
              suppress_health_check=list(HealthCheck))
    @given(LIMITS, SCENE, st.lists(STEP, max_size=14))
    def test_every_history_is_as_the_model_says(self, limits, scene, steps):
        self.begin(limits, scene)
        try:
            for what, how in steps:
                if what == "batch":
                    self.batch(how)
                elif what in ("again", "settle"):
                    getattr(self, what)(*how)
                elif what == "sweep":
                    self.sweep()
                elif what == "wait":
                    self.wait(how)
                else:
                    self.midnight()
                self.check_counts()
        finally:
            self.worker.connection.close()


if __name__ == "__main__":
    unittest.main()

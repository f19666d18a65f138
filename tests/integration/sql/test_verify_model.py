"""sendcode.verify and the model in verify_model.py say the same in random histories of a phone: jobs
that are sent, refused, retried, in doubt and settled, resends, guesses, rotating keys, sweeps, time.

SENDCODE_VERIFY_HISTORIES=20000 makes it a soak; by itself it takes some seconds.
Time passes by moving what is stored back. A history that took long enough for the real clock to
matter is thrown away.
"""
import collections
import datetime
import hashlib
import hmac
import os
import time
import unittest
import uuid

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (RuleBasedStateMachine, initialize, precondition, rule,
                                 run_state_machine_as_test)

from support import TOPIC, Worker, connect, create_database, drop_database, now
from verify_model import Job, Model

HISTORIES = int(os.environ.get("SENDCODE_VERIFY_HISTORIES", "100"))
SCENES = ("login", "register")
REASONS = {"expired": "deadline", "superseded": "newer_job"}
TTL = {"login": 300, "register": 100}
SETTLE = ("select * from sendcode.settle('s', %s, %s, %s, %s, 5000, true, true, null, '{}', '{}',"
          " '{}', '{}', '{}', '{}')")
AGE = """create function public.age(p_phone text, p_seconds int) returns void language plpgsql as $$
begin {} end $$"""

database = None
done = collections.Counter()


class Database:
    """One for all histories; each has a phone of its own."""

    def __init__(self):
        self.name = create_database()
        self.admin = connect(self.name)
        self.cursor = self.admin.cursor()
        self.worker = Worker(self.name)
        self.worker.cursor.execute("set synchronous_commit = off")
        self.sql("set synchronous_commit = off")
        self.sql(AGE.format("".join(self.moved(t) for t in ("challenge", "delivery", "parked"))))
        self.phones = 0

    def moved(self, table):
        columns = self.sql("select column_name from information_schema.columns"
                           " where table_schema = 'sendcode' and table_name = %s"
                           " and data_type = 'timestamp with time zone'", table)
        sets = ", ".join(f"{c[0]} = {c[0]} - p_seconds * interval '1 second'" for c in columns)
        return f"update sendcode.{table} set {sets} where phone = p_phone;"

    def sql(self, text, *args):
        self.cursor.execute(text, args)
        return self.cursor.fetchall() if self.cursor.description else None

    def drop(self):
        self.worker.connection.close()
        self.admin.close()
        drop_database(self.name)


def digest(key, phone, scene, nonce):
    """The code of a nonce is its hex here."""
    text = f"sendcode.v1\n{phone}\n{scene}\n{nonce.hex()}".encode()
    return hmac.new(key, text, hashlib.sha256).digest()


BUDGETS = st.fixed_dictionaries({"max_tries": st.sampled_from((1, 2, 3)),
                                 "tries_window": st.sampled_from((60, 200, 3600)),
                                 "max_tries_day": st.sampled_from((2, 4, 20))})
SOON = st.sampled_from((1, 5, 12, 17, 20, 22, 29, 30, 31, 50, 60, 99, 100, 101, 130, 149, 150, 151,
                        200, 270, 299, 300, 330, 331, 600))
LATER = st.sampled_from((3599, 3600, 3601, 86000, 86400, 86430, 86730))
PICK = st.integers(0, 999)


class Histories(RuleBasedStateMachine):
    @initialize(scene=st.sampled_from(SCENES), resend_same=st.booleans(), budget=BUDGETS)
    def begin(self, scene, resend_same, budget):
        database.phones += 1
        self.phone = f"+86138{database.phones:08d}"
        database.sql("delete from sendcode.parked")
        database.sql("update sendcode.pace set asked_at = '{}'")
        self.worker = database.worker
        self.keys = 0
        self.model = Model(SCENES, [b"code0"], [self.verify_key(0)])
        self.nonces, self.wrongs = [], 0
        self.begun = time.monotonic()
        self.request_and_send(scene, resend_same, budget)

    @staticmethod
    def verify_key(number):
        return hashlib.sha256(b"verify%d" % number).digest()

    def same(self, found, expected):
        if found != expected:
            hypothesis.assume(time.monotonic() - self.begun < 0.9)
        assert found == expected, f"the database says {found}, the model {expected}"

    def jobs(self, *states):
        return [j for j in self.model.jobs if j.state in states]

    def claim(self, job, nonce, length, budget):
        key = self.model.verify_keys[0]
        job.row.update(nonce=nonce, code_length=length, resend_same=job.resend_same,
                       epoch=self.worker.epochs[0],
                       key_id=self.model.code_keys[0], ttl=TTL[job.scene], **budget,
                       proof=hashlib.sha256(digest(key, self.phone, job.scene, nonce)).digest())
        self.worker.known_keys = self.model.code_keys
        job.claim_id = uuid.uuid4()
        answer = self.worker.claim_one(job.row, job.claim_id)
        verdict, told = self.model.claim(job, nonce, TTL[job.scene], length, budget)
        self.same(answer.verdict, verdict)
        if verdict == "send":
            self.to_send(job, answer, told)
        elif verdict == "decided" and told in REASONS:
            done[told] += 1
            self.same((answer.state, answer.reason), (told, REASONS[told]))
        elif verdict == "decided":
            self.same((answer.state, answer.reason, answer.retry_after),
                      ("limited", "locked", told))

    def to_send(self, job, answer, code):
        self.same((bytes(answer.nonce), bytes(answer.key_id), answer.code_length,
                   -(-answer.life_ms // 1000)),
                  (code.nonce, code.code_key, code.length, code.end - self.model.now))
        job.answer = answer
        self.nonces.append((job.scene, code.nonce))

    @rule(scene=st.sampled_from(SCENES), resend_same=st.booleans(), budget=BUDGETS)
    def request_and_send(self, scene, resend_same, budget):
        self.request(scene, 60, 0, resend_same, 6, budget)
        if self.jobs("claimed"):
            self.answered("sent")

    @rule(scene=st.sampled_from(SCENES), within=st.sampled_from((5, 60, 60)),
          since=st.sampled_from((0, 0, 0, 3, 40, 100)), resend_same=st.booleans(),
          length=st.sampled_from((6, 6, 6, 4)), budget=BUDGETS)
    def request(self, scene, within, since, resend_same, length, budget):
        job = Job(scene, self.model.now - since, self.model.now + within, resend_same)
        at = now()
        nonce = os.urandom(16)
        job.row = self.worker.job(phone=self.phone, scene=scene,
                                  requested_at=at - datetime.timedelta(seconds=since),
                                  deadline=at + datetime.timedelta(seconds=within))
        self.model.jobs.append(job)
        self.claim(job, nonce, length, budget)
        if job.state == "new":
            self.model.jobs.remove(job)  # busy: its record comes again, as another one here

    @precondition(lambda self: self.jobs("retry"))
    @rule(length=st.sampled_from((6, 6, 4)), budget=BUDGETS)
    def request_again(self, length, budget):
        for job in self.jobs("retry"):
            self.claim(job, os.urandom(16), length, budget)

    @precondition(lambda self: self.jobs("claimed"))
    @rule(state=st.sampled_from(("sent", "sent", "retry", "rejected", "in_doubt")))
    def answered(self, state):
        job = self.jobs("claimed")[0]
        if state != "sent" and job.row["epoch"] != self.worker.epochs[0]:
            return  # fenced
        answer = self.record(job, state)
        if state == "sent":
            self.model.accepted(job)
        elif state == "retry":
            self.model.wait(job)
        elif state == "rejected":
            self.model.unsent(job)
        else:
            job.state = state
            job.parked_until = None
        self.same((answer.applied, answer.state),
                  (True, {"unsent": "rejected" if state == "rejected" else "expired"}
                   .get(job.state, job.state)))

    def record(self, job, state):
        job.told.append(self.worker.result(job.row, job.answer, state))
        return self.worker.record(job.told[-1])[0]

    @rule(pick=PICK)
    def recorded_again(self, pick):
        """The answer to a record was lost: it comes again, and changes nothing."""
        told = [(j, r) for j in self.model.jobs for r in j.told]
        if told:
            job, result = told[pick % len(told)]
            before = database.sql("select * from sendcode.delivery where job_id = %s",
                                  job.row["job_id"])
            self.worker.record(result)
            self.same(before, database.sql("select * from sendcode.delivery where job_id = %s",
                                           job.row["job_id"]))

    @precondition(lambda self: self.jobs("claimed", "in_doubt"))
    @rule(pick=PICK, state=st.sampled_from(("retry", "rejected")))
    def fenced_owner_says_it_did_not_send(self, pick, state):
        jobs = [j for j in self.jobs("claimed", "in_doubt") if j.state == "claimed" or j.taken_over]
        if jobs:
            job = jobs[pick % len(jobs)]
            self.worker.take((0,))
            answer = self.record(job, state)
            job.told.pop()
            job.unsent_by = True
            self.same((answer.applied, answer.state), (False, job.state))

    @precondition(lambda self: self.jobs("claimed"))
    @rule(length=st.sampled_from((6, 6, 4)), budget=BUDGETS)
    def claimed_again_after_a_crash(self, length, budget):
        job = self.jobs("claimed")[0]
        if job.unsent_by:
            job.state = "retry"
            self.claim(job, os.urandom(16), length, budget)
            if job.state == "retry":
                job.state = "claimed"  # busy
            return
        answer = self.worker.claim_one(dict(job.row, epoch=self.worker.epochs[0]))
        self.same(answer.verdict, self.model.come_back(job))

    @precondition(lambda self: self.jobs("claimed"))
    @rule(length=st.sampled_from((6, 4)), budget=BUDGETS)
    def answer_of_a_claim_was_lost(self, length, budget):
        job = self.jobs("claimed")[0]
        if job.row["epoch"] != self.worker.epochs[0]:
            return
        nonce = os.urandom(16)
        key = self.model.verify_keys[0]
        job.row.update(nonce=nonce, code_length=length, key_id=self.model.code_keys[0], **budget,
                       proof=hashlib.sha256(digest(key, self.phone, job.scene, nonce)).digest())
        answer = self.worker.claim_one(job.row, job.claim_id)
        self.same(answer.verdict, "send")
        self.to_send(job, answer, self.model.claim_again(job, nonce, TTL[job.scene], length,
                                                         budget))

    @precondition(lambda self: self.jobs("in_doubt", "unknown"))
    @rule(pick=PICK)
    def accepted_after_all(self, pick):
        jobs = self.jobs("in_doubt", "unknown")
        job = jobs[pick % len(jobs)]
        answer = self.record(job, "sent")
        self.model.accepted(job)
        self.same((answer.applied, answer.state), (True, "sent"))

    @precondition(lambda self: self.jobs("in_doubt", "unknown"))
    @rule(pick=PICK, during=st.sampled_from((0, 0, 12, 60)))
    def asked_and_silence(self, pick, during):
        jobs = self.jobs("in_doubt", "unknown")
        job = jobs[pick % len(jobs)]
        database.sql("update sendcode.parked set ask_at = now() - interval '1 ms',"
                     " lease_until = null where job_id = %s", job.row["job_id"])
        taken = [t for t in database.sql("select * from sendcode.take_parked('s', %s, 100, 0, 9000,"
                                         " 100000, 5000)", TOPIC)
                 if t.job_id == job.row["job_id"]]
        if not taken:
            assert job.state == "in_doubt" and job.deadline <= self.model.now
            return  # sweep makes it unknown first
        asked_at = self.model.now
        self.pass_time(during)
        settled = database.sql(SETTLE, job.row["job_id"], taken[0].day, taken[0].lease,
                               taken[0].attempt)[0]
        self.same(settled.how, self.model.settle_unsent(job, asked_at))

    @rule(scene=st.sampled_from(SCENES), back=st.sampled_from((1, 1, 2)),
          decoys=st.integers(0, 1))
    def type_the_code(self, scene, back, decoys):
        own = [n for s, n in self.nonces if s == scene][-back:] or [b"never"]
        self.verify(scene, own[0], decoys)

    @rule(scene=st.sampled_from(SCENES), pick=PICK)
    def guess(self, scene, pick):
        """A code that was sent at some time, also of another scene, or one that never was."""
        nonces = [n for _, n in self.nonces] + [b"never"] * 3
        self.verify(scene, nonces[pick % len(nonces)])

    def verify(self, scene, nonce, decoys=0):
        keys = self.model.verify_keys
        digests = [b"d" * 32] * decoys + [digest(k, self.phone, scene, nonce) for k in keys]
        answer = database.sql("select * from sendcode.verify(%s, %s, null, variadic %s::bytea[])",
                              self.phone, scene, digests)[0]
        verdict, left, seconds, job = self.model.verify(scene, nonce, keys)
        wait = answer.retry_after and -(-answer.retry_after // datetime.timedelta(seconds=1))
        self.same((answer.verdict, answer.tries_left, wait, answer.job_id),
                  (verdict, left, seconds, job and job.row["job_id"]))
        self.wrongs += verdict == "wrong"
        done[verdict] += 1

    @rule()
    def unlock(self):
        database.sql("select sendcode.unlock(%s)", self.phone)
        for challenge in self.model.challenges.values():
            challenge.refill()

    @rule()
    def sweep(self):
        database.sql("select sendcode.sweep()")
        self.model.sweep()

    @rule(kind=st.sampled_from(("code", "verify")))
    def rotate(self, kind):
        """A new key is known everywhere, then makes, then the old one goes: a step each time."""
        keys = self.model.code_keys if kind == "code" else self.model.verify_keys
        self.keys += 1
        if len(keys) == 1:
            keys.append(b"code%d" % self.keys if kind == "code" else self.verify_key(self.keys))
        elif keys == sorted(keys, key=self.age_of):
            keys.reverse()
        else:
            keys.pop()

    def age_of(self, key):
        known = [b"code%d" % n for n in range(self.keys + 1)] + [
            self.verify_key(n) for n in range(self.keys + 1)]
        return known.index(key)

    @rule(seconds=SOON)
    def time_passes(self, seconds):
        self.pass_time(seconds)

    @precondition(lambda self: not self.jobs("claimed", "retry", "in_doubt"))
    @rule(seconds=LATER)
    def much_time_passes(self, seconds):
        self.pass_time(seconds)

    def pass_time(self, seconds):
        database.sql("select public.age(%s, %s)", self.phone, seconds)
        self.model.now += seconds
        back = datetime.timedelta(seconds=seconds)
        for job in self.model.jobs:
            job.row["requested_at"] -= back
            job.row["deadline"] -= back

    def teardown(self):
        done["histories"] += 1
        kept = database.sql("select count(*) as n from sendcode.wrong_try where phone = %s",
                            self.phone)[0].n
        assert kept == self.wrongs, f"{kept} wrong tries are kept, {self.wrongs} were counted"


class VerifyModel(unittest.TestCase):
    def test_verify_and_the_model_say_the_same_in_every_history(self):
        global database  # pylint: disable=global-statement
        database = Database()
        self.addCleanup(database.drop)
        run_state_machine_as_test(Histories, settings=hypothesis.settings(
            max_examples=HISTORIES, stateful_step_count=40, deadline=None, database=None,
            print_blob=True, suppress_health_check=list(hypothesis.HealthCheck)))
        print(dict(done))
        for verdict in ("ok", "wrong", "locked", "expired", "none"):
            self.assertGreater(done[verdict], 0, verdict)


if __name__ == "__main__":
    unittest.main()

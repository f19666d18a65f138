"""What the tests of outages share: jobs that keep coming while something is broken, what the worker
says of it, and what must be true afterwards."""

import re

import psycopg2

from rig import Rig, wait_for

UNDECIDED = ("claimed", "retry")
DOUBTFUL = ("in_doubt", "unknown")


class Outage(Rig):
    """A test publishes with `flow`, breaks something, and ends with `assert_whole`."""

    scenes = {"register": {"send_within": "120"}}

    def setUp(self):
        self.jobs = []
        super().setUp()

    def flow(self, n, **fields):
        """n more jobs, each for a phone of its own."""
        first = len(self.jobs)
        jobs = [self.job(phone=f"+86139{first + i:08d}", **fields) for i in range(n)]
        self.publish(*jobs)
        self.jobs += jobs
        return jobs

    def write_config_for(self, dsn):
        """A configuration whose worker reaches PostgreSQL another way than the test does."""
        sections = self.config()
        sections["postgres"]["dsn"] = dsn
        return self.write_config(sections, "other.conf")

    def query(self, sql, *args):
        """As in Rig; a connection that an outage took is replaced."""
        try:
            return super().query(sql, *args)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.db_connection.close()
            return super().query(sql, *args)

    # --- what the worker says ---

    def wait_ready(self, worker):
        wait_for("readiness", lambda: self.status(worker, "/readyz")[0] == 200)

    def wait_unready(self, worker, *words):
        """Until /readyz is 503 and names all the words; its sentence."""
        def says():
            status, why = self.status(worker, "/readyz")
            return status == 503 and all(w in why for w in words) and why
        return wait_for(f"/readyz to be 503 and say {words}", says)

    @staticmethod
    def lines(worker, *words):
        return [line for line in worker.text().splitlines() if all(w in line for w in words)]

    def assert_said_once(self, worker, *words):
        """Once for this outage: a line that says so again carries how many were left out."""
        lines = self.lines(worker, "level=warn", *words)
        self.assertTrue(lines, f"nothing says {words}: {self.lines(worker, 'level=warn')}")
        for line in lines[1:]:
            self.assertRegex(line, r"not_logged=[1-9]|dropped=[1-9]", "\n".join(lines))

    def assert_services_said_once(self, worker, said):
        """Each service of PostgreSQL's that /readyz named in `said` has its lines."""
        for service in ("postgres (claims)", "postgres (outcomes)"):
            if service in said:
                self.assert_said_once(worker, "service is not reachable", service)

    def assert_quiet(self, worker, at_most=40):
        """An outage does not flood the log: lines of warnings, all in all."""
        noisy = [line for line in worker.text().splitlines()
                 if re.search(r"level=(warn|error)", line)]
        self.assertLessEqual(len(noisy), at_most, "\n".join(noisy))

    # --- the jobs ---

    def states(self):
        return dict(self.query("select state, count(*) from sendcode.deliveries group by state"))

    def decided(self):
        return sum(n for state, n in self.states().items() if state not in UNDECIDED)

    def wait_decided(self, patience=60):
        wait_for("every job to be decided", lambda: self.decided() == len(self.jobs), patience)

    def wait_messages(self, n):
        wait_for(f"{n} messages", lambda: len(self.ledger()) >= n)

    def wait_sends_over(self, worker):
        """Until the worker knows of each message that the provider took; how many those are."""
        def known():
            accepted = self.metric(worker, 'sendcode_attempts_total{outcome="accepted"}')
            return accepted == len(self.ledger())
        wait_for("the requests under way to end", known)
        return len(self.ledger())

    def assert_whole(self, doubtful=0):
        """Every job is decided, none was accepted twice, each accepted one is known as such, and at
        most `doubtful` are (or were) not known at once."""
        self.wait_decided()
        contexts = [m["session_context"] for m in self.ledger()]
        self.assertEqual(len(contexts), len(set(contexts)), "a job was accepted twice")
        self.assertLessEqual(set(contexts), {j["job_id"] for j in self.jobs})
        states = dict(self.query("select job_id, state from sendcode.deliveries"))
        sent = {job_id for job_id, state in states.items() if state == "sent"}
        self.assertLessEqual(sent, set(contexts), "called sent, but the provider has none")
        for job_id in set(contexts) - sent:
            self.assertIn(states[job_id], DOUBTFUL, job_id)
        self.assertLessEqual(len(states) - len(sent), doubtful, self.states())
        self.assert_accounts_whole()

    def assert_announced(self):
        """Each job's latest state has reached the events topic."""
        def latest():
            seen = {}
            for e in self.events():
                if e["seq"] >= seen.get(e["job_id"], (0, ""))[0]:
                    seen[e["job_id"]] = (e["seq"], e["state"])
            rows = self.query("select job_id, seq, state::text from sendcode.deliveries")
            return {job_id: (seq, state) for job_id, seq, state in rows} == seen
        wait_for("every job's state to be announced", latest)

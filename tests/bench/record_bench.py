#!/usr/bin/python3
"""Measures the record at its size: timeline, a day of daily, and claim and record beside empty tables;
and shows by which indexes verify finds its rows there.

record_bench.py FULL EMPTY: two databases of the cluster that SENDCODE_TEST_DSN names (a superuser's,
on this machine: the backends' CPU time is read from /proc), the first one filled by scripts/fill.
Exit 1 when a figure misses what the record promises.
"""
import argparse
import pathlib
import random
import statistics
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "sql"))
import support  # noqa: E402
import verify_scans  # noqa: E402
from claim_bench import backend_seconds  # noqa: E402

TIMELINE_MS, DAILY_S, RATIO = 10, 1, 1.2
CALLS, BATCH = 300, 128


def seconds(cursor, statement, *arguments):
    started = time.monotonic()
    cursor.execute(statement, arguments)
    rows = cursor.fetchall()
    assert rows, statement
    return time.monotonic() - started


def some(cursor, column, n):
    """Of rows at random: never the same twice in a row of runs."""
    cursor.execute("select min(job_id), max(job_id) from sendcode.delivery where job_id like 'fill-%'")
    low, high = (int(job[5:]) for job in cursor.fetchone())
    jobs = [f"fill-{random.randint(low, high):010d}" for _ in range(n)]
    cursor.execute(f"select {column} from sendcode.delivery where job_id = any(%s)", (jobs,))
    return [row[0] for row in cursor.fetchall()]


def measure_timeline(cursor, column):
    subjects = some(cursor, column, CALLS)
    took = sorted(seconds(cursor, "select * from sendcode.timeline(%s)", s) * 1000 for s in subjects)
    return statistics.median(took), took[int(len(took) * 0.99)]


def measure_daily(cursor):
    cursor.execute("select distinct day from sendcode.delivery"
                   " where day < (now() at time zone 'UTC')::date - 1")
    days = [row[0] for row in cursor.fetchall()]
    took = [seconds(cursor, "select * from sendcode.daily where day = %s", day)
            for day in random.sample(days, min(5, len(days)))]
    return statistics.median(took), max(took)


def job_id():
    """In the order of time, as a UUIDv7 is."""
    return f"{time.time_ns():016x}-{uuid.uuid4()}"


def step(worker, phones):
    """A batch claimed and recorded: CPU and wall of both, in seconds."""
    pid = worker.connection.info.backend_pid
    rows = [worker.job(phone=phone, partition=i % 12, job_id=job_id())
            for i, phone in enumerate(phones)]
    cpu, wall = [backend_seconds(pid)], [time.monotonic()]
    answers = worker.claim(*rows)
    cpu.append(backend_seconds(pid))
    wall.append(time.monotonic())
    assert all(a.verdict == "send" for a in answers)
    results = [worker.result(r, a, "sent") for r, a in zip(rows, answers)]
    wall_record = time.monotonic()
    recorded = worker.record(*results)
    assert all(a.applied for a in recorded)
    return {"claim": (cpu[1] - cpu[0], wall[1] - wall[0]),
            "record": (backend_seconds(pid) - cpu[1], time.monotonic() - wall_record)}


def measure_calls(workers, phones, batches):
    """The same phones in turn on either database: sums of CPU, medians of wall, in µs a job."""
    sums = {name: {"claim": [], "record": []} for name in workers}
    for batch in range(batches + 8):
        some_phones = phones[batch * BATCH:(batch + 1) * BATCH]
        names = list(workers) if batch % 2 else list(reversed(workers))
        for name in names:
            for call, took in step(workers[name], some_phones).items():
                if batch >= 8:  # plans and caches
                    sums[name][call].append(took)
    return {name: {call: (sum(cpu for cpu, _ in took) / len(took) / BATCH * 1e6,
                          statistics.median(wall for _, wall in took) / BATCH * 1e6)
                   for call, took in calls.items()} for name, calls in sums.items()}


def print_calls(when, calls, options):
    """Whether all of them keep the ratio."""
    good = True
    for call in ("claim", "record"):
        for i, what in enumerate(("CPU", "wall")):
            full, empty = (calls[name][call][i] for name in (options.full, options.empty))
            good &= full < RATIO * empty
            print(f"{f'{call}, {what}, {when}':38} {full:8.1f} {empty:8.1f} {full / empty:6.2f}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("full")
    parser.add_argument("empty")
    parser.add_argument("--batches", type=int, default=300)
    options = parser.parse_args()
    good = True
    cursor = support.connect(options.full).cursor()
    for what, column in (("job", "job_id"), ("phone", "phone")):
        median, p99 = measure_timeline(cursor, column)
        good &= median < TIMELINE_MS
        print(f"timeline of a {what}: {median:.2f} ms, p99 {p99:.2f} ms")
    median, worst = measure_daily(cursor)
    good &= median < DAILY_S
    print(f"daily of one day: {median:.3f} s, worst {worst:.3f} s")
    cursor.execute("set jit = on")  # PostgreSQL's default; judges nothing
    print("the same with jit = on: {:.3f} s, worst {:.3f} s".format(*measure_daily(cursor)))
    cursor.execute("reset jit")
    good &= verify_scans.show(cursor.connection)

    cursor.execute("select min(day) from sendcode.delivery")
    first = cursor.fetchone()[0]
    for name in (options.full, options.empty):  # the same months, so that size alone differs
        with support.connect(name).cursor() as one:
            one.execute("select sendcode.make_partitions(%s, 4)", (first,))
            one.execute("checkpoint")
    workers = {name: support.Worker(name, partitions=range(12))
               for name in (options.full, options.empty)}
    n = (options.batches + 8) * BATCH
    phones = list(dict.fromkeys(some(cursor, "phone", 4 * n)))
    random.shuffle(phones)
    if len(phones) < 2 * n:
        sys.exit(f"{len(phones)} phones are too few: fill more, or ask for fewer --batches")
    print(f"{'µs a job, batches of ' + str(BATCH):38} {'filled':>8} {'empty':>8} {'ratio':>6}")
    # At first each page that is touched is written to the WAL whole; that judges nothing.
    print_calls("after a checkpoint", measure_calls(workers, phones[:n], options.batches), options)
    calls = measure_calls(workers, phones[n:], options.batches)
    good &= print_calls("later", calls, options)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Measures PostgreSQL's CPU for claim and record: µs a job by batch size, one worker.

Needs SENDCODE_TEST_DSN (a superuser of a private cluster on this machine: the backend's CPU time is
read from /proc). --jobs N for each batch size, --fill N puts jobs there first.
"""
import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "sql"))
import support  # noqa: E402


def backend_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(worker, batch, jobs, first_phone):
    """CPU seconds of the backend in claim and in record, and the wall time of both."""
    pid = worker.connection.info.backend_pid
    spent = {"claim": 0.0, "record": 0.0, "wall": 0.0}
    done = 0
    while done < jobs:
        rows = [worker.job(phone=f"+861{first_phone + done + i:010d}", partition=(done + i) % 12)
                for i in range(batch)]
        started = time.monotonic()
        t0 = backend_seconds(pid)
        answers = worker.claim(*rows)
        t1 = backend_seconds(pid)
        assert all(a.verdict == "send" for a in answers)
        results = [worker.result(r, a, "sent") for r, a in zip(rows, answers)]
        t2 = backend_seconds(pid)
        recorded = worker.record(*results)
        t3 = backend_seconds(pid)
        assert all(a.applied for a in recorded)
        spent["claim"] += t1 - t0
        spent["record"] += t3 - t2
        spent["wall"] += time.monotonic() - started
        done += batch
    return {k: v / done * 1e6 for k, v in spent.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20000)
    parser.add_argument("--fill", type=int, default=0)
    options = parser.parse_args()
    name = support.create_database()
    try:
        worker = support.Worker(name, partitions=range(12))
        phone = 0
        if options.fill:
            run(worker, 256, options.fill, phone)
            phone += options.fill + 256
        print(f"{'batch':>6} {'claim µs':>9} {'record µs':>9} {'sum µs':>7} {'wall µs':>8}   a job")
        for batch in (1, 8, 32, 128, 256):
            jobs = max(1000, min(options.jobs, options.jobs * batch // 128))
            run(worker, batch, max(batch * 8, 100), phone)
            phone += max(batch * 8, 100) + 256
            us = run(worker, batch, jobs, phone)
            phone += jobs + 256
            print(f"{batch:6} {us['claim']:9.1f} {us['record']:9.1f} "
                  f"{us['claim'] + us['record']:7.1f} {us['wall']:8.1f}")
        worker.connection.close()
    finally:
        support.drop_database(name)


if __name__ == "__main__":
    main()

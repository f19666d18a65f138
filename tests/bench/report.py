"""Makes the table of scripts/bench from what its runs left behind.

report.py DIR: DIR/sendcode.full.jsonl and .rate.jsonl are the sandbox's ledgers at saturation and at
the fixed rate; .full.process and .rate.process hold "CPU_MICROSECONDS PEAK_RSS_KIB" of the worker
and PostgreSQL's CPU_MICROSECONDS; DIR/floor.json is what the floor program said of itself.
"""

import datetime
import json
import pathlib
import sys


def arrivals(path):
    """Of each accepted SMS: when its job was published and when it arrived, in microseconds."""
    for line in path.read_text(encoding="utf-8").splitlines():
        message = json.loads(line)
        at = datetime.datetime.fromisoformat(message["at"].replace("Z", "+00:00"))
        published = int(message["session_context"].split("-")[1])
        yield published, int(at.timestamp() * 1_000_000)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def process(path):
    return tuple(int(word) for word in path.read_text(encoding="utf-8").split())


def measure_worker(folder):
    full = sorted(at for _, at in arrivals(folder / "sendcode.full.jsonl"))
    # The first and last hundredth are starting and ending, not saturation.
    first, last = percentile(full, 0.01), percentile(full, 0.99)
    cpu_us, rss_kib, postgres_us = process(folder / "sendcode.full.process")
    waits = sorted((at - published) / 1000
                   for published, at in arrivals(folder / "sendcode.rate.jsonl"))
    rate_cpu_us, rate_rss_kib, rate_postgres_us = process(folder / "sendcode.rate.process")
    return {
        "jobs/s": 0.98 * len(full) / ((last - first) / 1_000_000),
        "CPU µs/job": cpu_us / len(full),
        "PostgreSQL": postgres_us / len(full),
        "p50 ms": percentile(waits, 0.50),
        "p99 ms": percentile(waits, 0.99),
        "CPU µs/job at rate": rate_cpu_us / len(waits),
        "PostgreSQL at rate": rate_postgres_us / len(waits),
        "peak RSS MiB": max(rss_kib, rate_rss_kib) / 1024,
    }


def measure_floor(folder):
    said = json.loads((folder / "floor.json").read_text(encoding="utf-8"))
    return {"jobs/s": said["jobs_per_s"], "CPU µs/job": said["cpu_us"],
            "peak RSS MiB": said["rss_mib"]}


def cell(value):
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def main(arguments):
    folder = pathlib.Path(arguments[0])
    worker, floor = measure_worker(folder), measure_floor(folder)
    ratio = {column: worker[column] / floor[column] for column in floor}
    columns = list(worker)
    print("| system | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for system, row in (("sendcode", worker), ("floor", floor), ("ratio", ratio)):
        print(f"| {system} | " + " | ".join(cell(row.get(c)) for c in columns) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])

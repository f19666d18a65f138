"""Makes the table of scripts/bench from what its runs left behind.

report.py DIR SYSTEM…: for each system, DIR/SYSTEM.full.jsonl and DIR/SYSTEM.rate.jsonl are the
sandbox's ledgers at saturation and at the fixed rate; DIR/SYSTEM.full.process and
DIR/SYSTEM.rate.process hold "CPU_MICROSECONDS PEAK_RSS_KIB" of the process under test.
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
    cpu_us, rss_kib = path.read_text(encoding="utf-8").split()
    return int(cpu_us), int(rss_kib)


def measure(folder, system):
    full = sorted(at for _, at in arrivals(folder / f"{system}.full.jsonl"))
    # The first and last hundredth are starting and ending, not saturation.
    first, last = percentile(full, 0.01), percentile(full, 0.99)
    cpu_us, rss_kib = process(folder / f"{system}.full.process")
    waits = sorted((at - published) / 1000
                   for published, at in arrivals(folder / f"{system}.rate.jsonl"))
    rate_cpu_us, rate_rss_kib = process(folder / f"{system}.rate.process")
    return {
        "jobs/s": 0.98 * len(full) / ((last - first) / 1_000_000),
        "CPU µs/job": cpu_us / len(full),
        "p50 ms": percentile(waits, 0.50),
        "p99 ms": percentile(waits, 0.99),
        "CPU µs/job at rate": rate_cpu_us / len(waits),
        "peak RSS MiB": max(rss_kib, rate_rss_kib) / 1024,
    }


def main(arguments):
    folder, systems = pathlib.Path(arguments[0]), arguments[1:]
    rows = {system: measure(folder, system) for system in systems}
    if "floor" in rows:
        for row in rows.values():
            row["jobs/s : floor"] = row["jobs/s"] / rows["floor"]["jobs/s"]
            row["CPU : floor"] = row["CPU µs/job"] / rows["floor"]["CPU µs/job"]
    columns = list(next(iter(rows.values())))
    print("| system | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for system, row in rows.items():
        cells = [f"{row[c]:.0f}" if row[c] >= 100 else f"{row[c]:.2f}" for c in columns]
        print(f"| {system} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])

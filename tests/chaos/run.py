"""scripts/chaos: load and faults for some minutes, then rest, then the checker's word on it all."""

import argparse
import json
import pathlib
import shutil
import signal
import sys
import time

import confluent_kafka
import psycopg2

import checker
import dump
import schedule
import summary
from history import read_history
from kafka import TOPICS
from load import Load
from programs import BUILD, ROOT, say, wait_for
from system import SEND_WITHIN, SIGNATURE_LIFE, System

REST_PATIENCE = SEND_WITHIN + 90  # seconds


def arguments():
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", description="Breaks everything that the workers need, under load, and"
        " checks that nothing is lost and nothing sent twice.")
    parser.add_argument("--seed", type=int, default=1, help="chooses load and faults (1)")
    parser.add_argument("--minutes", type=float, default=3, help="of load and faults (3)")
    parser.add_argument("--rate", type=int, default=150, help="records a second (150)")
    parser.add_argument("--keep", action="store_true",
                        help="keeps logs and dumps also when nothing is wrong")
    return parser.parse_args()


def unfinished(system):
    """What is not yet at rest, as a sentence; "" when all is."""
    try:
        return left_to_do(system)
    except (psycopg2.OperationalError, confluent_kafka.KafkaException) as e:
        return f"no answer: {e}"


def left_to_do(system):
    counts = system.postgres.query(
        "select (select count(*) from sendcode.delivery"
        "        where state in ('claimed', 'retry', 'in_doubt')),"
        " (select count(*) from sendcode.outbox),"
        " (select count(*) from sendcode.parked where kind <> 'unknown')")[0]
    if any(counts):
        return f"{counts[0]} jobs not final, outbox {counts[1]}, parked {counts[2]}"
    consumer = system.brokers.consumer()
    try:
        ends = system.brokers.ends(consumer, TOPICS["jobs"])
        committed = system.brokers.committed(consumer, TOPICS["jobs"])
    finally:
        consumer.close()
    behind = sum(end - committed.get(p, 0) for p, (_, end) in ends.items())
    return f"{behind} records not committed" if behind else ""


def come_to_rest(system):
    begun = time.monotonic()
    try:
        wait_for("all to be at rest", lambda: not unfinished(system), REST_PATIENCE)
        return round(time.monotonic() - begun, 1), []
    except TimeoutError:
        return None, [f"rest: after {REST_PATIENCE} s there are {unfinished(system)}"]


def break_it(system, folder, options):
    """Everything that happens to the running system. Returns breaches that only the run can see."""
    load = Load(system.brokers.bootstrap, options.seed, options.rate)
    faults = schedule.Faults(system, schedule.make(options.seed, options.minutes * 60),
                             folder / "faults.jsonl")
    load.start()
    try:
        faults.run()
    finally:
        faults.heal()
        load.end()
    say(f"{load.published} records, {len(faults.plan)} faults; waiting for rest")
    seconds, breaches = come_to_rest(system)
    doubled = sum(worker.metric_sums().get("sendcode_duplicate_sends_total", 0)
                  for worker in system.workers)
    if doubled:
        breaches.append(f"metrics: sendcode_duplicate_sends_total is {doubled:.0f}")
    system.end_workers()
    breaches += [f"worker: {b}" for worker in system.workers for b in worker.breaches]
    breaches += [f"harness: {b}" for b in faults.broken]
    if load.failed or load.acked != load.published:
        breaches.append(f"load: {load.published} published, {load.acked} acknowledged")
    return seconds, breaches


def run_once(folder, options):
    begun = time.monotonic()
    system = System(folder, options.seed)
    try:
        system.start()
        wait_for("the workers to be ready", system.is_ready, 60)
        say(f"all runs after {time.monotonic() - begun:.0f} s")
        seconds, breaches = break_it(system, folder, options)
        dump.dump_all(system, folder / "dump")
    finally:
        for log in system.postgres.home.glob("*.log"):
            shutil.copy(log, folder / f"postgres-{log.name}")
        system.tear_down()
    return {"seed": options.seed, "minutes": options.minutes, "seconds_to_rest": seconds,
            "seconds_in_all": round(time.monotonic() - begun), "breaches": breaches,
            "promises": {"signature_life": SIGNATURE_LIFE}}


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = ROOT / "build" / "chaos" / f"seed-{options.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"seed {options.seed}, {options.minutes:g} minutes, programs of {BUILD}")
    run = run_once(folder, options)
    (folder / "run.json").write_text(json.dumps(run, indent=1), encoding="utf-8")
    history = read_history(folder)
    breaches = run["breaches"] + checker.judge(history)
    told = summary.summarize(folder, run, history, breaches)
    summary.write(folder, told)
    print(summary.as_text(told))
    (folder / "breaches.txt").write_text("\n".join(breaches) + "\n", encoding="utf-8")
    for breach in breaches[:50]:
        print(f"BREACH {breach}")
    if breaches:
        print(f"{len(breaches)} breaches; logs and dumps are in {folder}")
        sys.exit(1)
    if not options.keep:
        shutil.rmtree(folder / "dump")
        for log in [*folder.glob("*.log"), folder / "ledger.jsonl"]:
            log.unlink()
    print("chaos: ok")


if __name__ == "__main__":
    main()

"""The summary of a run: what was done to the system, and what became of the jobs."""

import datetime
import json
import pathlib
from collections import Counter, defaultdict

from history import rows_of


def stops(ledger, faults):
    """{kind: seconds}: the longest time without an accepted SMS that meets a fault of the kind."""
    times = sorted(datetime.datetime.fromisoformat(sms["at"].replace("Z", "+00:00")).timestamp()
                   for sms in ledger)
    gaps = [(a, b) for a, b in zip(times, times[1:]) if b - a > 0.2]
    longest = defaultdict(float)
    for fault in faults:
        longest[fault["kind"]] = max([longest[fault["kind"]]] + [
            b - a for a, b in gaps if a < fault["end"] and b > fault["begin"]])
    return {kind: round(seconds, 1) for kind, seconds in sorted(longest.items())}


def settlements(history):
    """How each doubt ended: by the evidence kept with the attempt, else by the job's state."""
    states = {row["job_id"]: row["state"] for row in history.delivery}
    how = Counter()
    for row in history.attempt:
        if row.get("settlement"):
            how[row["settlement"][-1].get("how", "?")] += 1
        elif row["outcome"] == "in_doubt":
            how["no answer, now " + states.get(row["job_id"], "?")] += 1
    return dict(how)


def summarize(folder, run, history, breaches):
    faults = rows_of(pathlib.Path(folder) / "faults.jsonl")
    contexts = Counter(sms["session_context"] for sms in history.ledger)
    doubted = {row["job_id"] for row in history.attempt
               if row["outcome"] == "in_doubt" or row.get("settlement")}
    others = Counter(row["what"] for row in history.record_other)
    return {
        "seed": run["seed"], "minutes": run["minutes"], "seconds_in_all": run["seconds_in_all"],
        "faults": len(faults),
        "faults_by_kind": dict(sorted(Counter(f["kind"] for f in faults).items())),
        "records": len(history.jobs), "jobs": len(history.delivery),
        "duplicates": others["duplicate"], "invalid": others["invalid"],
        "outcomes": dict(sorted(Counter(
            " ".join(filter(None, (row["state"], row.get("reason"))))
            for row in history.delivery).items())),
        "accepted": len(history.ledger),
        "doubled": sum(1 for n in contexts.values() if n > 1),
        "lost": sum(1 for breach in breaches if breach.endswith(": lost")),
        "in_doubt": len(doubted), "settled": settlements(history),
        "seconds_to_rest": run["seconds_to_rest"],
        "longest_stop_s": stops(history.ledger, faults),
        "breaches": len(breaches),
    }


def as_text(summary):
    lines = []
    for name, value in summary.items():
        if isinstance(value, dict):
            lines.append(f"{name}:")
            lines += [f"    {key}: {number}" for key, number in value.items()]
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def write(folder, summary):
    path = pathlib.Path(folder) / "summary.json"
    path.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

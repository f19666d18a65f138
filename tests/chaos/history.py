"""What a run left behind, as the checker reads it: lists of plain dictionaries. Made from the files
that dump.py writes, or by hand in test_checker.py."""

import json
import pathlib
from dataclasses import dataclass, field


@dataclass
class History:
    """Records have partition, offset, key, value, headers; rows are those of the tables."""
    jobs: list = field(default_factory=list)
    events: list = field(default_factory=list)
    dead: list = field(default_factory=list)
    delivery: list = field(default_factory=list)
    attempt: list = field(default_factory=list)
    challenge: list = field(default_factory=list)
    record_other: list = field(default_factory=list)
    accounting: list = field(default_factory=list)
    parked: list = field(default_factory=list)
    outbox: list = field(default_factory=list)
    ledger: list = field(default_factory=list)
    ends: dict = field(default_factory=dict)  # partition: (first offset, one past the last)
    committed: dict = field(default_factory=dict)
    logs: dict = field(default_factory=dict)  # name: an iterable of lines
    signature_life: float = 6  # seconds


TABLES = ("delivery", "attempt", "challenge", "record_other", "accounting", "parked", "outbox")


def lines_of(path):
    with open(path, encoding="utf-8", errors="replace") as lines:
        yield from lines


def rows_of(path):
    return [json.loads(line) for line in lines_of(path)]


def read_history(folder):
    folder = pathlib.Path(folder)
    dump = folder / "dump"
    positions = json.loads((dump / "positions.json").read_text("utf-8"))
    return History(
        **{name: rows_of(dump / f"{name}.jsonl") for name in ("jobs", "events", "dead", *TABLES)},
        ledger=rows_of(folder / "ledger.jsonl"),
        ends={int(p): tuple(ends) for p, ends in positions["ends"].items()},
        committed={int(p): n for p, n in positions["committed"].items()},
        logs={path.name: lines_of(path) for path in sorted(folder.glob("worker*.log"))},
        **json.loads((folder / "run.json").read_text("utf-8"))["promises"])

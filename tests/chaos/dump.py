"""Writes down what a run left behind, for the checker: topics, positions, tables. All as JSON
lines; bytes of Kafka as Latin-1, so that none is lost."""

import json

from kafka import TOPICS

TABLES = {
    "delivery": "select job_id, phone, scene, state, reason, seq, attempts, provider_code,"
                " serial_no, retry_after, duplicate_send, partition, incarnation, \"offset\","
                " extract(epoch from requested_at) as requested_at,"
                " extract(epoch from deadline) as deadline, claimed_at is not null as claimed,"
                " receipt_code, locale, worker, traceparent, tracestate from sendcode.delivery"
                " where topic = '{jobs}'",
    "attempt": "select * from sendcode.attempt",
    "challenge": "select phone, scene, day_jobs, hour_jobs, next_state, next_job_id, live_job_id,"
                 " doubt_job_id, charged_job_id from sendcode.challenge",
    "record_other": "select partition, incarnation, \"offset\", what, reason, job_id"
                    " from sendcode.record_other where topic = '{jobs}'",
    "accounting": "select * from sendcode.accounting where topic = '{jobs}'",
    "parked": "select * from sendcode.parked",
    "outbox": "select * from sendcode.outbox",
}
# Raw text: JSON holds neither of these two characters unescaped.
COPY = "copy (select json_strip_nulls(row_to_json(t)) from ({}) t) to stdout" \
       " with (format csv, delimiter E'\\x02', quote E'\\x01')"


def text(data):
    return None if data is None else data.decode("latin-1")


def dump_topic(brokers, name, path):
    with open(path, "w", encoding="utf-8") as out:
        for message in brokers.read(TOPICS[name]):
            # A topic repeats header names; a list of pairs keeps them all.
            headers = [(k, text(v)) for k, v in message.headers() or []]
            record = {"partition": message.partition(), "offset": message.offset(),
                      "key": text(message.key()), "value": text(message.value()),
                      "headers": headers}
            out.write(json.dumps(record) + "\n")


def dump_positions(brokers, path):
    consumer = brokers.consumer()
    try:
        positions = {"ends": brokers.ends(consumer, TOPICS["jobs"]),
                     "committed": brokers.committed(consumer, TOPICS["jobs"])}
    finally:
        consumer.close()
    path.write_text(json.dumps(positions), encoding="utf-8")


def dump_tables(postgres, folder):
    connection = postgres.connect()
    try:
        for name, sql in TABLES.items():
            with open(folder / f"{name}.jsonl", "w", encoding="utf-8") as out:
                connection.cursor().copy_expert(COPY.format(sql.format(**TOPICS)), out)
    finally:
        connection.close()


def dump_all(system, folder):
    folder.mkdir()
    for name in TOPICS:
        dump_topic(system.brokers, name, folder / f"{name}.jsonl")
    dump_positions(system.brokers, folder / "positions.json")
    dump_tables(system.postgres, folder)

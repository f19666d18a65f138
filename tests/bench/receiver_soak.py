"""Callbacks for scripts/soak-receiver: sent by a plan, whatever the answers take; then every receipt
that was taken is looked for in the database, and nothing else may be there."""

import argparse
import asyncio
import collections
import datetime
import json
import os
import random
import sys
import time

import psycopg2

PATIENCE = 60  # seconds that an answer may take
AT_ONCE = 90  # callbacks under way; the receiver has 128 connections
SLOW_PIECES, SLOW_PAUSE = 4, 0.5
# Kinds of callbacks, of 1000.
SHARES = {"plain": 840, "twice": 50, "rubbish": 50, "wrong path": 30, "slow": 20, "cut off": 5,
          "too long": 5}
CHINA = datetime.timezone(datetime.timedelta(hours=8))
FAULTY = ({"sid": None}, {"report_status": "MAYBE"}, {"mobile": "none"}, {"sid": ""},
          {"mobile": ["13800138000"]})
BODIES = (b"", b"no JSON", b"{}", b"[]", b'[{"sid":', b"\x00\xff", b'"text"', b"[[]] trailing")


class Callback:
    """What is sent, and the rows that it leaves if it is taken."""

    def __init__(self, kind, body, rows):
        self.kind, self.body, self.rows = kind, body, rows
        self.answer = None  # the words of it, None: none was heard
        self.took_s = None  # from the last byte that was sent


class Plan:
    """The callbacks, the same ones in every run."""

    def __init__(self, n):
        self.random = random.Random(20261125)
        self.made = 0
        self.callbacks = []
        kinds = self.random.choices(list(SHARES), SHARES.values(), k=n)
        for kind in kinds:
            self.callbacks.append(self.make(kind))

    def make(self, kind):
        before = [c for c in self.callbacks[-50:] if c.kind == "plain"]
        if kind == "twice" and before:
            again = self.random.choice(before)
            return Callback(kind, again.body, again.rows)
        if kind == "rubbish" and self.random.random() < 0.5:
            body = self.random.choice(BODIES)
            return Callback(kind, body, [(body, True)])
        # As many of 1 as of 2, of 3 to 5, … of 50 to 100.
        receipts = [self.receipt() for _ in range(int(101 ** self.random.random()))]
        texts, rows = [], []
        for members in receipts:
            raw, row = self.element(members, kind == "rubbish" and self.random.random() < 0.3)
            texts.append(raw)
            rows.append(row)
        return Callback(kind, b"[" + b",".join(texts) + b"]", rows)

    def receipt(self):
        self.made += 1
        at = datetime.datetime(2026, 11, 24, 8) + datetime.timedelta(seconds=self.made % 86400)
        good = self.random.random() < 0.9
        return {"user_receive_time": f"{at:%Y-%m-%d %H:%M:%S}", "nationcode": "86",
                "mobile": f"138{self.made % 10**8:08d}",
                "report_status": "SUCCESS" if good else "FAIL",
                "errmsg": "DELIVRD" if good else "MK:0012", "description": "用户短信送达成功",
                "sid": f"2026:{self.made}"}

    def element(self, members, faulty):
        if faulty:
            members = {**members, **self.random.choice(FAULTY)}
        raw = json.dumps(members, ensure_ascii=False).encode()
        if faulty:
            return raw, (raw, True)
        at = datetime.datetime.fromisoformat(members["user_receive_time"]).replace(tzinfo=CHINA)
        return raw, (raw, False, members["sid"], "+86" + members["mobile"],
                     members["report_status"], members["errmsg"], members["description"],
                     at.timestamp())


class Load:
    def __init__(self, port, path, seconds):
        self.port, self.path, self.seconds = port, path, seconds
        self.idle = []  # connections that are kept for the next one
        self.room = asyncio.Semaphore(AT_ONCE)
        self.late_s = 0

    async def run(self, callbacks):
        begun = time.monotonic()
        tasks = []
        for n, callback in enumerate(callbacks):
            due = begun + n * self.seconds / len(callbacks)
            await asyncio.sleep(max(0, due - time.monotonic()))
            await self.room.acquire()
            self.late_s = max(self.late_s, time.monotonic() - due)
            tasks.append(asyncio.create_task(self.send(callback)))
        await asyncio.gather(*tasks)
        for _, writer in self.idle:
            writer.close()
        return time.monotonic() - begun

    async def send(self, callback):
        writer = None
        try:
            reader, writer = await self.connect(callback)
            await self.write(callback, writer)
            if callback.kind != "cut off":
                last = time.monotonic()
                callback.answer, keeps = await asyncio.wait_for(self.read(reader), PATIENCE)
                callback.took_s = time.monotonic() - last
                if keeps and callback.kind in ("plain", "twice", "rubbish"):
                    self.idle.append((reader, writer))
                    writer = None
        except (OSError, EOFError, asyncio.TimeoutError):
            pass  # no answer
        finally:
            if writer:
                writer.close()
            self.room.release()

    async def connect(self, callback):
        """Some on a connection that stands."""
        while callback.kind in ("plain", "twice") and len(callback.body) % 2 and self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        while len(self.idle) > AT_ONCE / 4:
            self.idle.pop()[1].close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def write(self, callback, writer):
        path = self.path[:-1] if callback.kind == "wrong path" else self.path
        length = 900000 if callback.kind == "too long" else len(callback.body)
        head = (f"POST {path} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()
        if callback.kind == "slow":
            size = len(callback.body) // SLOW_PIECES + 1
            writer.write(head)
            for at in range(0, len(callback.body), size):
                await writer.drain()
                await asyncio.sleep(SLOW_PAUSE)
                writer.write(callback.body[at:at + size])
        elif callback.kind == "cut off":
            writer.write(head + callback.body[:-1])
        else:
            writer.write(head + callback.body)
        await writer.drain()

    @staticmethod
    async def read(reader):
        """What was answered, and whether the connection stays."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
        body = await reader.readexactly(length)
        status = int(head.split(" ", 2)[1])
        taken = status == 200 and json.loads(body).get("result") == 0
        return "result 0" if taken else f"HTTP {status}", "connection: close" not in head


class Process:
    """What the kernel says of the receiver."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def peak_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def stored_rows(dsn):
    """The rows of the table, counted, in the form of Callback.rows."""
    rows = collections.Counter()
    connection = psycopg2.connect(dsn)
    with connection.cursor("rows") as c:
        c.itersize = 10000
        c.execute("select raw, fault is not null, source, serial_no, phone, status, code,"
                  " description, extract(epoch from user_received_at)::float8"
                  " from sendcode.receipt")
        for raw, faulty, source, *columns in c:
            assert source == "callback", source
            rows[(bytes(raw), True) if faulty else (bytes(raw), False, *columns)] += 1
    connection.close()
    return rows


def compare(callbacks, stored):
    """Breaches, as sentences. What was not heard of may be stored or not."""
    taken, perhaps = collections.Counter(), collections.Counter()
    breaches = []
    for c in callbacks:
        if c.answer == "result 0":
            taken.update(c.rows)
            if c.kind in ("wrong path", "too long"):
                breaches.append(f"a callback was taken that is none: {c.kind}")
        elif c.kind not in ("wrong path", "too long", "cut off"):
            perhaps.update(c.rows)
    missing = taken - stored
    surplus = stored - taken - perhaps
    print(f"{'receipts of what was answered 0':34}{sum(taken.values()):>12}")
    print(f"{'receipts stored':34}{sum(stored.values()):>12}")
    print(f"{'… in quarantine':34}{sum(n for r, n in stored.items() if r[1]):>12}")
    print(f"{'missing':34}{sum(missing.values()):>12}")
    print(f"{'stored, and no callback brought it':34}{sum(surplus.values()):>12}")
    breaches += [f"missing: {row}" for row in list(missing)[:5]]
    breaches += [f"nobody brought: {row}" for row in list(surplus)[:5]]
    return breaches if taken else breaches + ["nothing was answered 0"]


def print_answers(callbacks):
    counts = collections.Counter((c.kind, c.answer or "none") for c in callbacks)
    print(f"{'callbacks':20}{'answer':14}{'':>12}")
    for (kind, answer), n in sorted(counts.items()):
        print(f"{kind:20}{answer:14}{n:>12}")


def print_costs(callbacks, process, cpu_s, took_s, late_s):
    times = sorted(c.took_s for c in callbacks if c.answer == "result 0")
    share = lambda q: times[min(len(times) - 1, int(q * len(times)))] * 1000 if times else 0
    for name, value in (("callbacks/s", f"{len(callbacks) / took_s:.0f}"),
                        ("the plan's worst lateness, ms", f"{late_s * 1000:.0f}"),
                        ("answered 0, p50 ms", f"{share(0.5):.1f}"),
                        ("answered 0, p99 ms", f"{share(0.99):.1f}"),
                        ("receiver's peak RSS, MB", f"{process.peak_kb() / 1024:.1f}"),
                        ("receiver's CPU, µs a callback", f"{cpu_s / len(callbacks) * 1e6:.0f}")):
        print(f"{name:34}{value:>12}")


def main():
    parser = argparse.ArgumentParser()
    for name in ("port", "pid", "callbacks", "seconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--dsn", required=True)
    told = parser.parse_args()
    callbacks = Plan(told.callbacks).callbacks
    process = Process(told.pid)
    before_s = process.cpu_s()

    async def load():
        sender = Load(told.port, os.environ["SENDCODE_RECEIPT_PATH"], told.seconds)
        return await sender.run(callbacks), sender.late_s

    took_s, late_s = asyncio.run(load())
    cpu_s = process.cpu_s() - before_s
    print_answers(callbacks)
    print_costs(callbacks, process, cpu_s, took_s, late_s)
    breaches = compare(callbacks, stored_rows(told.dsn))
    for breach in breaches:
        print(breach, file=sys.stderr)
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()

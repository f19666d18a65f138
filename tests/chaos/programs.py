"""Processes of a chaos run, and small things that all its parts use. Knows no fault."""

import datetime
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SENDCODE_BUILD_DIR", ROOT / "build" / "release"))

SECRETS = {
    "TENCENT_SECRET_ID": "AKIDchaos",
    "TENCENT_SECRET_KEY": "chaos-secret-key",
    "SENDCODE_CODE_KEY": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "SENDCODE_VERIFY_KEY": "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100",
}


def say(text):
    print(f"chaos: {text}", file=sys.stderr, flush=True)


def wait_for(what, condition, patience):
    """The first true value that condition gives; raises naming what."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.1)


def rfc3339(seconds):
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def free_ports(count):
    """Ports on loopback below those that the kernel gives out by itself; each bound once."""
    held, ports = [], []
    while len(ports) < count:
        port = random.SystemRandom().randrange(12000, 20000)
        try:
            s = socket.socket()
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
        held.append(s)
        ports.append(port)
    for s in held:
        s.close()
    return ports


def http(url, data=None, method=None, timeout=10):
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def run(*args, **options):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True,
                          env={**os.environ, **SECRETS}, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{args[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Program:
    """A process whose standard error is kept in a file, over all its lives."""

    def __init__(self, args, log, stdout=subprocess.DEVNULL, env=None):
        self.args = [str(a) for a in args]
        self.log = pathlib.Path(log)
        self.stdout = stdout
        self.env = {**os.environ, **SECRETS, **(env or {})}
        self.process = None
        self.said_before = 0

    def start(self):
        with open(self.log, "ab") as err:
            self.said_before = err.tell()
            # A session of its own, so that a Ctrl-C meant for the run does not end it first.
            self.process = subprocess.Popen(
                self.args, stderr=err, stdout=self.stdout, stdin=subprocess.DEVNULL, env=self.env,
                start_new_session=True)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def tell(self, number):
        if self.alive():
            self.process.send_signal(number)

    def has_spoken(self):
        """Whether this life of it has said anything."""
        return self.log.stat().st_size > self.said_before

    def kill(self):
        self.tell(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


class Worker(Program):
    """One of the workers. Whoever breaks it holds `lock`; an end that nobody asked for is noted."""

    def __init__(self, number, config, admin_port, log, clock_library):
        self.clock = log.with_suffix(".clock")
        self.set_clock(0)
        super().__init__([BUILD / "sendcode-worker", "-c", config], log,
                         env={"LD_PRELOAD": str(clock_library), "CHAOS_CLOCK": str(self.clock)})
        self.name = f"w{number}"
        self.admin = f"http://127.0.0.1:{admin_port}"
        self.lock = threading.Lock()
        self.breaches = []

    def set_clock(self, seconds):
        """How wrong its wall clock is, from now on."""
        with open(self.clock, "r+b" if self.clock.exists() else "wb", buffering=0) as out:
            out.write(struct.pack("q", int(seconds * 1e9)))

    def look(self):
        """Starts it again if it ended by itself, which is a breach."""
        with self.lock:
            if self.alive():
                return
            self.breaches.append(f"{self.name} ended by itself with {self.process.returncode}")
            self.start()

    def end_in_order(self, patience):
        """SIGTERM: 0 within the time that it promises. Before main() no program can hold a signal:
        one that has said nothing may die of it."""
        self.tell(signal.SIGTERM)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.breaches.append(f"{self.name} (process {self.process.pid}) did not end within"
                                 f" {patience} s of SIGTERM")
            self.kill()
            return
        if code != 0 and (code != -signal.SIGTERM or self.has_spoken()):
            self.breaches.append(f"{self.name} (process {self.process.pid}) ended with {code}"
                                 " after SIGTERM")

    def metric_sums(self):
        """Each sample of /metrics by its name and labels, or nothing while it cannot answer."""
        try:
            text = http(self.admin + "/metrics", timeout=2)[1]
        except OSError:
            return {}
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

"""The whole system of a run: brokers, database with standby, sandbox, proxy and three workers."""

import json
import pathlib
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

from kafka import GROUP, TOPICS, Brokers
from postgres import ROLE, Postgres
from programs import BUILD, ROOT, Program, Worker, free_ports, http, run, wait_for

WORKERS = 3
PARTITIONS = 12
SEND_WITHIN = 30  # seconds from request to deadline
DRAIN = 5
RECORD_LAG = 3  # seconds until the provider's records show an SMS
SIGNATURE_LIFE = 6
DOUBT_GRACE = 6  # more than the lag, and soon enough for a second send before the deadline

TENCENT = {
    "sdk_app_id": "1400006789", "sign_name": "AA生活服务", "timeout": 3,
    "signature_life": SIGNATURE_LIFE, "doubt_grace": DOUBT_GRACE, "probe_interval": 2,
}
SCENE = {"template_id": "1717171", "template_params": "{code},{minutes}",
         "send_within": SEND_WITHIN}
SCENES = {
    "register": SCENE,
    "login": {**SCENE, "cooldown": 0, "per_hour": 0, "per_day": 0, "ttl": 60, "resend": "same"},
    "fresh": {**SCENE, "cooldown": 2, "per_hour": 0, "per_day": 1000, "resend": "new"},
}


class Proxy:
    """The network between the workers and what they talk to; see proxy.py."""

    def __init__(self, routes, log):
        self.routes = routes
        program = [f"{name}={port}:{target}" for name, (port, target) in routes.items()]
        with open(log, "ab") as err:
            self.process = subprocess.Popen(
                ["python3", pathlib.Path(__file__).parent / "proxy.py", *program], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, start_new_session=True)
        self.lock = threading.Lock()
        self.await_word("ready")

    def await_word(self, word):
        if self.process.stdout.readline().strip() != word:
            raise RuntimeError("the proxy died; see proxy.log")

    def tell(self, mode, route):
        with self.lock:
            self.process.stdin.write(f"{mode} {route}\n")
            self.process.stdin.flush()
            self.await_word("done")

    def tear_down(self):
        self.process.kill()
        self.process.wait()


class ProviderFaults:
    """What the sandbox is asked to do wrong; each ends by itself, whatever else is asked."""

    def __init__(self, control):
        self.url = control + "/faults"
        self.lock = threading.Lock()
        self.active = []

    def add(self, fault):
        with self.lock:
            self.active.append(fault)
            self.post(fault)

    def remove(self, fault):
        with self.lock:
            self.active.remove(fault)
            http(self.url, method="DELETE", timeout=60)
            for other in self.active:
                self.post(other)

    def post(self, fault):
        status, text = http(self.url, json.dumps(fault).encode(), timeout=60)
        if status not in (200, 201):
            raise RuntimeError(f"the sandbox refuses {fault}: {text}")


class System:
    def __init__(self, folder, seed):
        self.folder = pathlib.Path(folder)
        self.seed = seed
        self.brokers = Brokers(self.folder / "kafka", doors=WORKERS)
        self.postgres = Postgres()
        self.sandbox = self.proxy = self.provider = None
        self.sandbox_lock = threading.Lock()
        self.workers = []

    def start(self):
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(self.brokers.start), pool.submit(self.postgres.set_up),
                         pool.submit(self.start_sandbox)]:
                done.result()
        self.provider = ProviderFaults(self.addresses["control"])
        self.start_proxy_and_workers()

    def start_sandbox(self):
        ready = self.folder / "sandbox.json"
        with open(ready, "wb") as out:
            self.sandbox = Program(
                [BUILD / "sendcode-sandbox", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0",
                 "--ledger", self.folder / "ledger.jsonl", "--seed", self.seed,
                 "--record-lag", RECORD_LAG], self.folder / "sandbox.log", stdout=out)
            self.sandbox.start()
        self.addresses = json.loads(wait_for("the sandbox", lambda: ready.read_text("utf-8"), 30))

    def start_proxy_and_workers(self):
        ports = free_ports(WORKERS * 4)
        provider_port = int(self.addresses["endpoint"].rsplit(":", 1)[1])
        clock_library = self.folder / "clock.so"
        run("gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-o", clock_library,
            pathlib.Path(__file__).parent / "clock.c")
        routes = {}
        for n in range(1, WORKERS + 1):
            routes[f"w{n}.provider"] = (ports.pop(), provider_port)
            for node, port in enumerate(self.postgres.ports):
                routes[f"w{n}.pg{node}"] = (ports.pop(), port)
            for broker, route in self.brokers.door(n).items():
                routes[f"w{n}.kafka{broker}"] = route
            admin = ports.pop()
            config = self.write_config(n, routes, admin)
            self.workers.append(
                Worker(n, config, admin, self.folder / f"worker{n}.log", clock_library))
        self.proxy = Proxy(routes, self.folder / "proxy.log")
        self.migrate(config)
        for worker in self.workers:
            worker.start()

    def routes_of(self, worker, what):
        """The names of the worker's ways to all servers of that kind: provider, pg or kafka."""
        return [name for name in self.proxy.routes if name.startswith(f"{worker.name}.{what}")]

    def write_config(self, n, routes, admin):
        provider, first, second = (routes[f"w{n}.{what}"][0] for what in ("provider", "pg0", "pg1"))
        kafka = {"bootstrap.servers": ",".join(
                     f"127.0.0.1:{told}" for told, _ in self.brokers.door(n).values()),
                 "group.id": GROUP, "session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
        if self.seed % 2:
            kafka["partition.assignment.strategy"] = "cooperative-sticky"
        sections = {
            "kafka": kafka,
            "topics": TOPICS,
            "postgres": {"dsn": f"host=127.0.0.1,127.0.0.1 port={first},{second} user={ROLE}"
                                " dbname=sendcode target_session_attrs=read-write"},
            "tencent": {"endpoint": f"http://127.0.0.1:{provider}", **TENCENT},
            # The same code is sent again as soon as it is asked for.
            "limits": {"provider_interval": 0},
            "worker": {"admin_listen": f"127.0.0.1:{admin}", "in_flight": 32, "start_budget": 2,
                       "drain": DRAIN},
            **{f"scene {name}": keys for name, keys in SCENES.items()},
        }
        if "doubt_grace" in (ROOT / "etc" / "sendcode.conf").read_text("utf-8"):
            sections["tencent"]["doubt_grace"] = RECORD_LAG + 2
        path = self.folder / f"worker{n}.conf"
        with open(path, "w", encoding="utf-8") as out:
            for section, keys in sections.items():
                out.write(f"[{section}]\n")
                out.writelines(f"{k} = {v}\n" for k, v in keys.items())
        return path

    def migrate(self, config):
        dsn = self.postgres.dsn(self.postgres.primary)
        run(BUILD / "sendcodectl", "-c", config, "migrate", "--topics", "--partitions", PARTITIONS,
            "--dsn", dsn)
        self.postgres.query(f"grant sendcode_worker to {ROLE}")

    def is_ready(self):
        def answers(worker):
            try:
                return http(worker.admin + "/readyz", timeout=2)[0] == 200
            except OSError:
                return False
        return all(answers(worker) for worker in self.workers)

    def end_workers(self):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda w: w.end_in_order(DRAIN + 10), self.workers))

    def tear_down(self):
        for program in [*self.workers, self.sandbox]:
            if program is not None:
                program.tell(signal.SIGCONT)
                program.kill()
        if self.proxy is not None:
            self.proxy.tear_down()
        self.postgres.tear_down()
        self.brokers.tear_down()

"""Every kind of fault: how it is chosen, how it begins and how it is healed. A fault is drawn with
seeded dice when the schedule is made, so that a seed names it whatever happens during the run."""

import contextlib
import signal
import time

import psycopg2

from postgres import ROLE
from programs import wait_for
from system import DRAIN, WORKERS

KINDS = {}  # name: (weight, draw, inflict)


def kind(name, weight, draw):
    """inflict(system, fault) does it, lets it last, and heals it before it returns."""
    def add(inflict):
        KINDS[name] = (weight, draw, inflict)
        return inflict
    return add


def one_worker(least, most):
    return lambda dice: {"worker": dice.randrange(WORKERS), "lasts": dice.uniform(least, most)}


def lasting(least, most):
    return lambda dice: {"lasts": dice.uniform(least, most)}


@contextlib.contextmanager
def held_worker(system, fault):
    worker = system.workers[fault["worker"]]
    with worker.lock:
        fault["target"] = worker.name
        fault["begin"] = time.time()
        yield worker


# --- workers ---

@kind("worker killed", 10, one_worker(0, 4))
def kill_worker(system, fault):
    with held_worker(system, fault) as worker:
        worker.kill()
        time.sleep(fault["lasts"])
        worker.start()


def pause(program, seconds):
    program.tell(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        program.tell(signal.SIGCONT)


@kind("worker paused", 5, one_worker(0.2, 4))
def pause_worker(system, fault):
    with held_worker(system, fault) as worker:
        pause(worker, fault["lasts"])


@kind("worker paused beyond the session", 4, one_worker(7, 15))
def pause_worker_long(system, fault):
    with held_worker(system, fault) as worker:
        pause(worker, fault["lasts"])


@kind("worker restarted in order", 3, one_worker(0, 1))
def restart_worker(system, fault):
    with held_worker(system, fault) as worker:
        # On two busy cores five seconds more than promised are no breach.
        worker.end_in_order(DRAIN + 10)
        time.sleep(fault["lasts"])
        worker.start()


@kind("worker told twice to end", 2, one_worker(0, 1))
def end_worker_at_once(system, fault):
    with held_worker(system, fault) as worker:
        worker.tell(signal.SIGTERM)
        time.sleep(fault["lasts"] / 2)
        worker.tell(signal.SIGTERM)
        with contextlib.suppress(Exception):
            worker.process.wait(DRAIN + 10)
        worker.kill()
        worker.start()


@kind("worker reloaded", 1, one_worker(0, 0))
def reload_worker(system, fault):
    with held_worker(system, fault) as worker:
        # Until it has begun, SIGHUP ends a process.
        wait_for("the worker to have begun", worker.metric_sums, 20)
        worker.tell(signal.SIGHUP)


@kind("clock stepped", 3, lambda dice: {
    "worker": dice.randrange(WORKERS), "lasts": dice.uniform(1, 15),
    "step": dice.choice((-1, 1)) * dice.choice((2, 30, 290, 1200))})
def step_clock(system, fault):
    with held_worker(system, fault) as worker:
        worker.set_clock(fault["step"])
        time.sleep(fault["lasts"])
        worker.set_clock(0)


# --- the network between a worker and what it talks to ---

ROUTE_KINDS = ("provider", "pg", "kafka")


def network(least, most):
    return lambda dice: {"worker": dice.randrange(WORKERS), "what": dice.choice(ROUTE_KINDS),
                         "lasts": dice.uniform(least, most)}


def break_network(system, fault, mode):
    worker = system.workers[fault["worker"]]
    routes = system.routes_of(worker, fault["what"])
    fault["target"] = f"{worker.name} {fault['what']}"
    fault["begin"] = time.time()
    for route in routes:
        system.proxy.tell(mode, route)
    time.sleep(fault["lasts"])
    for route in routes:
        system.proxy.tell("heal", route)


@kind("network stalled", 5, network(1, 12))
def stall_network(system, fault):
    break_network(system, fault, "stall")


@kind("network cut", 4, network(0, 6))
def cut_network(system, fault):
    break_network(system, fault, "cut")


@kind("answers lost", 5, network(0.2, 4))
def lose_answers(system, fault):
    break_network(system, fault, "mute")


# --- PostgreSQL ---

@contextlib.contextmanager
def held_postgres(system, fault, target):
    with system.postgres.lock:
        fault["target"] = target
        fault["begin"] = time.time()
        yield system.postgres


@kind("PostgreSQL stopped at once", 3, lasting(0, 6))
def stop_postgres(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        pg.stop_at_once(pg.primary)
        time.sleep(fault["lasts"])
        pg.start(pg.primary)


@kind("standby stopped", 2, lasting(0, 8))
def stop_standby(system, fault):
    with held_postgres(system, fault, "standby") as pg:
        pg.stop_at_once(1 - pg.primary)
        time.sleep(fault["lasts"])
        pg.start(1 - pg.primary)


@kind("standby lost while backends die", 1, lasting(1, 4))
def kill_waiting_backends(system, fault):
    with held_postgres(system, fault, "standby, backends") as pg:
        pg.stop_at_once(1 - pg.primary)
        end = time.monotonic() + fault["lasts"]
        while time.monotonic() < end:
            time.sleep(0.5)
            end_backends(pg, 100)
        pg.start(1 - pg.primary)


# Once a run, by the schedule: it has no weight.
@kind("failover", 0, lambda dice: {"lasts": dice.uniform(1, 8), "behind": dice.random() < 0.5})
def fail_over(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        old = pg.primary
        if fault["behind"]:
            leave_standby_behind(pg)
        # To the workers the host is gone: nobody answers there, not even with a refusal.
        for worker in system.workers:
            system.proxy.tell("stall", f"{worker.name}.pg{old}")
        pg.fail_over()
        time.sleep(fault["lasts"])
        pg.rebuild()
        for worker in system.workers:
            system.proxy.tell("heal", f"{worker.name}.pg{old}")


def leave_standby_behind(pg):
    """What the primary commits alone from now on it may tell nobody: it is lost with it. Backends
    that wait for the standby die, so that who asks again sees rows that the standby lacks."""
    pg.stop_at_once(1 - pg.primary)
    for _ in range(4):
        time.sleep(0.7)
        end_backends(pg, 100)


def end_backends(pg, most):
    pg.query("select pg_terminate_backend(pid) from (select pid from pg_stat_activity"
             f" where usename = '{ROLE}' order by random() limit {most}) s")


@kind("backends killed", 5, lambda dice: {"most": dice.choice((1, 2, 100))})
def kill_backends(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        end_backends(pg, fault["most"])


@kind("statements cancelled", 3, lambda dice: {"times": dice.randrange(1, 20)})
def cancel_statements(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        with contextlib.closing(pg.connect()) as connection, connection.cursor() as c:
            for _ in range(fault["times"]):
                c.execute("select pg_cancel_backend(pid) from pg_stat_activity"
                          f" where usename = '{ROLE}' and state = 'active'")
                time.sleep(0.05)


LOCKS = (
    "select 1 from sendcode.partition_epoch for update",
    "lock table sendcode.challenge in share row exclusive mode",
    "lock table sendcode.delivery in access exclusive mode",
    "select 1 from sendcode.phone_limit limit 1000 for update",
)


@kind("locks held", 4, lambda dice: {"lock": dice.choice(LOCKS), "lasts": dice.uniform(1, 8)})
def hold_locks(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        with contextlib.closing(psycopg2.connect(pg.dsn(pg.primary))) as connection:
            with connection.cursor() as c:
                c.execute("set synchronous_commit = local")
                c.execute(fault["lock"])
                time.sleep(fault["lasts"])
            connection.rollback()


@kind("PostgreSQL read-only", 2, lasting(1, 6))
def make_read_only(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        pg.query(f"alter role {ROLE} set default_transaction_read_only = on")
        end_backends(pg, 100)
        time.sleep(fault["lasts"])
        pg.query(f"alter role {ROLE} reset default_transaction_read_only")
        # A session keeps what it began with.
        end_backends(pg, 100)


@kind("PostgreSQL out of connections", 2, lasting(1, 6))
def refuse_connections(system, fault):
    with held_postgres(system, fault, "primary") as pg:
        pg.query(f"alter role {ROLE} connection limit 0")
        end_backends(pg, 100)
        time.sleep(fault["lasts"])
        pg.query(f"alter role {ROLE} connection limit -1")


# --- Kafka ---

def one_broker(least, most):
    return lambda dice: {"broker": dice.randrange(1, 4), "lasts": dice.uniform(least, most)}


@contextlib.contextmanager
def held_brokers(system, fault):
    with system.brokers.lock:
        fault["target"] = f"broker {fault['broker']}"
        fault["begin"] = time.time()
        yield system.brokers


def stop_broker(system, fault, sig):
    with held_brokers(system, fault) as brokers:
        brokers.tell(fault["broker"], sig)
        time.sleep(fault["lasts"])
        wait_for("the broker to be gone", lambda: not brokers.alive(fault["broker"]), 60)
        brokers.start()
        wait_for("all replicas in sync", brokers.in_sync, 120)


@kind("broker killed", 2, one_broker(0.5, 6))
def kill_broker(system, fault):
    stop_broker(system, fault, signal.SIGKILL)


@kind("broker stopped in order", 1, one_broker(0.5, 2))
def end_broker(system, fault):
    stop_broker(system, fault, signal.SIGTERM)


@kind("broker paused", 2, one_broker(0.5, 12))
def pause_broker(system, fault):
    with held_brokers(system, fault) as brokers:
        brokers.tell(fault["broker"], signal.SIGSTOP)
        try:
            time.sleep(fault["lasts"])
        finally:
            brokers.tell(fault["broker"], signal.SIGCONT)
        wait_for("all replicas in sync", brokers.in_sync, 120)


# --- the provider ---

@kind("sandbox paused", 3, lasting(0.3, 9))
def pause_sandbox(system, fault):
    with system.sandbox_lock:
        fault["target"] = "sandbox"
        fault["begin"] = time.time()
        pause(system.sandbox, fault["lasts"])


def provider(name, weight, makes, least=1, most=8, action=None):
    """makes(dice) gives `do`; it meets a share of the requests, of one or of all actions."""
    def draw(dice):
        match = {"probability": dice.choice((0.05, 0.2, 0.5, 1.0))}
        if action or dice.random() < 0.7:
            match["action"] = action or "SendSms"
        return {"fault": {"match": match, "do": makes(dice)}, "lasts": dice.uniform(least, most)}

    @kind("provider: " + name, weight, draw)
    def inflict(system, fault):
        fault["target"] = "provider"
        fault["begin"] = time.time()
        with system.sandbox_lock:
            system.provider.add(fault["fault"])
        time.sleep(fault["lasts"])
        with system.sandbox_lock:
            system.provider.remove(fault["fault"])


provider("dropped before", 3, lambda dice: {"drop": "before"})
provider("dropped after", 4, lambda dice: {"drop": "after"})
provider("truncated", 3, lambda dice: {"truncate": dice.randrange(300)})
provider("hangs", 3, lambda dice: {"hang": True, "accept": dice.random() < 0.5}, most=5)
provider("slow", 4, lambda dice: {"delay_ms": dice.choice((50, 500, 2000, 5000))})
provider("HTTP status", 3, lambda dice: {"status": dice.choice((429, 500, 502, 503)),
                                         "accept": dice.random() < 0.3})
provider("rubbish", 3, lambda dice: {"body": dice.choice((
    "", "<html>Bad Gateway</html>", "{\"Response\":{}}", "{\"Response\":{\"SendStatusSet\":[]}}",
    "[1,2")), "accept": dice.random() < 0.5})
provider("ambiguous code", 3, lambda dice: {"code": dice.choice((
    "InternalError.Timeout", "InternalError.OtherError", "FailedOperation")),
    "accept": dice.random() < 0.3})
provider("retry", 3, lambda dice: {"envelope": dice.choice((
    "ResourceInsufficient", "ServiceUnavailable", "ResourceUnavailable"))})
provider("throttled", 3, lambda dice: {"envelope": "RequestLimitExceeded"}, most=5)
provider("rate", 2, lambda dice: {"rate": dice.choice((10, 50, 100))})
provider("number refused", 2, lambda dice: {"code": dice.choice((
    "FailedOperation.PhoneNumberInBlacklist", "LimitExceeded.PhoneNumberDailyLimit",
    "FailedOperation.ContainSensitiveWord"))}, most=4)
provider("records", 4, lambda dice: dice.choice((
    {"drop": "after"}, {"truncate": dice.randrange(300)}, {"delay_ms": 4000}, {"rate": 5},
    {"hang": True}, {"status": 500}, {"body": "{\"Response\":{}}"}, {"body": "[]"},
    {"envelope": "InternalError"}, {"envelope": "RequestLimitExceeded"})),
    action="DescribeSendRecordList")
provider("configuration", 2, lambda dice: {"envelope": dice.choice((
    "AuthFailure.UnauthorizedOperation", "UnauthorizedOperation.RequestPermissionDeny"))}, most=4)
provider("scene's configuration", 2, lambda dice: {"code": dice.choice((
    "FailedOperation.SignatureIncorrectOrUnapproved",
    "FailedOperation.InsufficientBalanceInSmsPackage"))}, most=4)

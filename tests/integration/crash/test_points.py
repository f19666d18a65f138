"""Dies once at every crash point that the worker has, lets the ordinary worker finish, and checks
the accounts. The points are read from the binary, so that none can be forgotten."""

import concurrent.futures
import contextlib
import queue
import subprocess
import unittest

import lane

LANES = 5  # systems side by side; each tries one point after another


def names_in(program):
    """What the program's ELF section of crash points holds."""
    held = subprocess.run(["objcopy", "-O", "binary", "--only-section=crashpoints",
                           lane.BUILD / program, "/dev/stdout"], capture_output=True, check=True)
    return [name.decode() for name in held.stdout.split(b"\0") if name]


def try_point(system, point):
    """How it went, and whether the system is still good for another point."""
    try:
        if not system.is_up:
            system.setUp()
        return f"{system.try_point(point):.1f} s", True
    except Exception as e:  # any failure is told beside its point
        return f"{type(e).__name__}: {e}", False


def run_lane(points, results):
    """Tries points until there are none left; after a failure in a new system."""
    system = lane.Lane()
    with contextlib.suppress(queue.Empty):
        while True:
            point = points.get_nowait()
            results[point], good = try_point(system, point)
            if not good:
                system.doCleanups()
                system = lane.Lane()
    system.doCleanups()


class CrashPoints(unittest.TestCase):
    def test_whatever_the_worker_dies_at_the_next_one_finishes_all_jobs_once(self):
        names = names_in("sendcode-worker-crash")
        self.assertEqual(len(set(names)), len(names), "each name stands at one place")
        self.assertGreater(len(names), 30)
        points, results = queue.Queue(), {}
        for name in names:
            points.put(name)
        with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
            for running in [pool.submit(run_lane, points, results) for _ in range(LANES)]:
                running.result()
        for name in names:
            print(f"{name:28} {results.get(name, 'not tried').splitlines()[0]}", flush=True)
        failed = {n: r for n, r in results.items() if not r.endswith(" s")}
        self.assertFalse(failed, "\n\n".join(f"{n}: {r}" for n, r in failed.items()))
        self.assertEqual(set(results), set(names))

    def test_the_installed_program_has_none(self):
        sections = subprocess.run(["readelf", "-SW", lane.BUILD / "sendcode-worker"], check=True,
                                  capture_output=True, text=True).stdout
        self.assertIn(".text", sections)
        self.assertNotIn("crashpoints", sections)
        self.assertNotIn(b"SENDCODE_CRASHPOINT", (lane.BUILD / "sendcode-worker").read_bytes())


if __name__ == "__main__":
    unittest.main()

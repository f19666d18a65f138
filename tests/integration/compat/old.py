"""The programs of the version before, built from its commit, and a way to run them in a rig."""

import contextlib
import pathlib
import subprocess
import sys
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/integration/worker"))

import rig  # noqa: E402 (it stands in a folder beside this one)

# What was released last. A release moves it: workers of two neighbouring versions work together.
COMMIT = "9f5b8d7cfefb5ed42604febd98e1d8690caf5ef4"
PROGRAMS = ("sendcode-worker", "sendcodectl")


def run(*args, **how):
    done = subprocess.run(args, capture_output=True, timeout=300, **how)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, args))}: {done.stderr.decode(errors='replace')}"
                             f"{done.stdout.decode(errors='replace')}")
    return done.stdout


def build():
    """The folder with the old programs; made once in a build folder."""
    folder = rig.BUILD / "compat" / COMMIT
    source = folder / "source"
    if not source.exists():
        try:
            archive = run("git", "-c", "safe.directory=*", "-C", ROOT, "archive", COMMIT)
        except AssertionError as why:
            raise AssertionError(f"the upgrade cannot be tried without the commit {COMMIT} in this "
                                 f"clone: fetch its history (git fetch --unshallow); {why}") from why
        fresh = folder / "fresh"
        fresh.mkdir(parents=True, exist_ok=True)
        run("tar", "-x", "-C", fresh, input=archive)
        fresh.rename(source)
    run("cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        "-DBUILD_TESTING=OFF")
    run("cmake", "--build", folder, "--target", *PROGRAMS)
    return folder


@contextlib.contextmanager
def programs_of(folder):
    """Within it, the rig starts this folder's programs."""
    with unittest.mock.patch.object(rig, "BUILD", folder):
        yield

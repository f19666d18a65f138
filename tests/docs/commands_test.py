"""The commands of the documents, run as a reader would type them: each document in one shell, in the
tree's root. README.md starts and ends a demo by itself; the others talk to one that runs."""

import json
import os
import re
import subprocess
import unittest

from blocks import BUILD, READMES, ROOT, DOCUMENTS, blocks

CTL = "build/release/sendcodectl -c build/demo/sendcode.conf"
# A reader's shell does not stop at the first failure; this one does, and names the line.
PROLOGUE = "set -eE\ntrap 'echo \"$0: line $LINENO: this command failed: $BASH_COMMAND\" >&2' ERR\n"


def shell(script, env=None, timeout=180):
    done = subprocess.run(["bash", "-c", PROLOGUE + script], cwd=ROOT, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout


def scripts(path):
    return "".join(block.text for block in blocks(path, "sh"))


class Readme(unittest.TestCase):
    def tearDown(self):
        shell("scripts/demo --stop")

    def test_commands_of_the_readme_work(self):
        code, out = shell(scripts(READMES[0]))
        self.assertEqual(code, 0, out)
        verdicts = re.findall(r"^verdict: (\w+)$", out, re.M)
        self.assertEqual(verdicts, ["ok", "ok", "ok"], out)  # demo, demo --keep, by hand
        self.assertRegex(out, r"(?m)^\S+Z +\S* +verified")
        code, out = shell("test ! -e build/demo/worker.pid")
        self.assertEqual(code, 0, "the demo goes on after scripts/demo --stop")


class OtherDocuments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        code, out = shell("scripts/demo --keep --kafka")
        if code != 0:
            raise AssertionError(out)
        cls.env = dict(re.findall(r"^ *export (SENDCODE_VERIFY_KEY)=(\w+)$", out, re.M))

    @classmethod
    def tearDownClass(cls):
        shell("scripts/demo --stop")

    def run_document(self, path):
        code, out = shell(scripts(path), self.env)
        self.assertEqual(code, 0, f"{path.name}:\n{out}")
        return out

    def test_commands_of_the_other_documents_work(self):
        for path in DOCUMENTS:
            if path not in READMES and path.name != "PRODUCERS.md":
                with self.subTest(path.name):
                    self.run_document(path)

    def test_examples_for_producers_and_verifiers_work(self):
        """Python and Node alike: their jobs are sent, their digests are the right ones."""
        path = ROOT / "docs/PRODUCERS.md"
        self.run_document(path)
        self.addresses = blocks(path, "sh")[0].text
        for block in blocks(path, "python") + blocks(path, "js"):
            name = re.match(r"(?:#|//) (\S+\.\w+)", block.text)[1].rstrip(":")
            # Beside the packages that tests/clients installs, where node looks for them.
            program = BUILD / "clients" / name
            program.write_text(block.text, encoding="utf-8")
            with self.subTest(name):
                getattr(self, "check_" + program.stem)(
                    f"{'node' if program.suffix == '.mjs' else '/usr/bin/python3'} {program}")

    def run_example(self, command, env=None):
        code, out = shell(f"{self.addresses}\n{command}", {**self.env, **(env or {})})
        self.assertEqual(code, 0, out)
        return out.split()

    def check_publish(self, program):
        job_id = self.run_example(program)[-1]
        code, out = shell(f"until {CTL} timeline {job_id} | grep ' sent '; do sleep 0.2; done")
        self.assertEqual(code, 0, out)

    def check_digest(self, program):
        vectors = json.loads((ROOT / "schema/verify-vectors.json").read_text())["digest"]
        for v in vectors:
            out = self.run_example(f"{program} {v['phone']} {v['scene']} {v['code']}",
                                   {"SENDCODE_VERIFY_KEY": v["verify_key"]})
            self.assertEqual(out, [v["digest"]])

    def check_verify(self, program):
        phone = "+8613800000009"
        code, out = shell(f"{CTL} enqueue --phone {phone} --scene login --wait")
        self.assertEqual(code, 0, out)
        job_id = out.split()[1]
        ledger = (ROOT / "build/demo/ledger.jsonl").read_text(encoding="utf-8").splitlines()
        sent = next(m for m in map(json.loads, ledger) if m["session_context"] == job_id)["params"][0]
        wrong = f"{(int(sent) + 1) % 1000000:06d}"
        self.assertEqual(self.run_example(f"{program} {phone} login {wrong}"),
                         ["wrong", "4", "None", "None"])
        self.assertEqual(self.run_example(f"{program} {phone} login {sent}"),
                         ["ok", "None", "None", job_id])


if __name__ == "__main__":
    unittest.main(verbosity=2)

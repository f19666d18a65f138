"""What the documents say is what the tree has: links, metrics, log lines, provider codes, states."""

import fnmatch
import os
import re
import subprocess
import tempfile
import unittest

from blocks import BUILD, DOCUMENTS, READMES, ROOT, blocks, commands

OPERATIONS = (ROOT / "docs/OPERATIONS.md").read_text(encoding="utf-8")
PRODUCERS = (ROOT / "docs/PRODUCERS.md").read_text(encoding="utf-8")
SECRETS = {"TENCENT_SECRET_ID": "a", "TENCENT_SECRET_KEY": "b",
           "SENDCODE_CODE_KEY": "1" * 64, "SENDCODE_VERIFY_KEY": "2" * 64,
           "SENDCODE_RECEIPT_PATH": "/" + "3" * 40}
C_TEXT = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'


def literal(match):
    """A C string of several pieces, as one."""
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match))


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.c")):
            yield path, path.read_text(encoding="utf-8")


class Documents(unittest.TestCase):
    def test_both_readmes_have_the_same_blocks(self):
        english, chinese = READMES
        self.assertEqual(commands(english), commands(chinese))
        self.assertEqual([b[::2] for b in blocks(english)], [b[::2] for b in blocks(chinese)])

    def test_links_lead_somewhere(self):
        for path in DOCUMENTS:
            prose = re.sub(r"(?ms)^```.*?^```$", "", path.read_text(encoding="utf-8"))
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
                if "://" not in target:
                    self.assertTrue((path.parent / target).exists(), f"{path.name}: {target}")

    def test_paths_that_are_named_exist(self):
        for path in DOCUMENTS:
            text = path.read_text(encoding="utf-8")
            for name in re.findall(r"`((?:common|worker|receiver|ctl|sandbox|schema|scripts|tests|docs|etc)/"
                                   r"[\w./*-]+)`", text):
                self.assertTrue(list(ROOT.glob(name.replace("NNNN", "*"))), f"{path.name}: {name}")

    def test_names_in_the_tour_are_those_of_the_source(self):
        words = set()
        for folder in ("common", "worker", "receiver", "ctl", "sandbox", "schema", "tests",
                       "scripts"):
            for path in (ROOT / folder).rglob("*"):
                if path.suffix in {".c", ".h", ".sql", ".cmake", ".replay", ".py"} and path.is_file():
                    words.add(path.name)
                    words |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        tour = (ROOT / "docs/TOUR.md").read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+_\w+|\w+\.(?:c|h|sql))`", tour):
            self.assertIn(name, words)

    def test_configurations_are_good(self):
        for path in DOCUMENTS:
            for block in blocks(path, "ini"):
                with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8") as conf:
                    conf.write(block.text)
                    conf.flush()
                    receiver = block.text.startswith("[receiver]")
                    program = "sendcode-receiver" if receiver else "sendcode-worker"
                    done = subprocess.run(
                        [BUILD / program, "-c", conf.name, "--check-config"], text=True,
                        capture_output=True, timeout=60, env={**os.environ, **SECRETS})
                self.assertEqual(done.returncode, 0, f"{path.name}:{block.line}: {done.stderr}")


class Operations(unittest.TestCase):
    def test_metrics_are_those_of_the_worker(self):
        made = {name for _, text in sources("worker")
                for name in re.findall(r'"(sendcode_\w+)"', text)}
        made.remove("sendcode_worker")  # the role
        table = OPERATIONS.split("\n## Metrics")[1].split("\n## Why")[0]
        told = set(re.findall(r"^\| `(sendcode_\w+)", table, re.M))
        self.assertEqual(told, made)
        alerts = "".join(b.text for b in blocks(ROOT / "docs/OPERATIONS.md", "yaml"))
        for name in re.findall(r"sendcode_\w+", alerts):
            self.assertIn(re.sub(r"_bucket$", "", name), made)

    def test_every_warning_of_the_daemons_has_its_line(self):
        table = OPERATIONS.split("### Log lines")[1].split("## Provider codes")[0]
        call = re.compile(r"\blog_(?:warn|error|fatal|lines)\((?:&?\w+, \w+, )?\s*" + C_TEXT)
        found = [literal(m[1]) for _, text in sources("worker", "receiver", "common")
                 for m in call.finditer(text)]
        self.assertGreater(len(found), 20)
        for message in found:
            self.assertIn(f"`{message}`", table)

    def test_provider_codes_are_told_as_the_worker_takes_them(self):
        rows = []
        table = OPERATIONS.split("## Provider codes")[1].split("## Sizing")[0]
        for codes, happens in re.findall(r"^\| (`.*?) \| (.*?) \|", table, re.M):
            rows += [(code, happens) for code in re.findall(r"`([^`]+)`", codes)]
        for code, verdict in self.verdicts().items():
            # The longest that fits tells, as the reader takes it.
            told = [(len(p), h) for p, h in rows if p == code or "*" in p
                    and fnmatch.fnmatchcase(code, p)]
            self.assertTrue(told, f"{code} is not in the table")
            exact = [h for p, h in rows if p == code]
            self.assertEqual(exact[0] if exact else max(told)[1], verdict, code)

    @staticmethod
    def verdicts():
        """Of each code in worker/error-codes.tsv, as worker/provider_verdict_table.awk reads it."""
        says = {"THROTTLE": "throttled, tried again", "RETRY": "tried again", "BUG": "rejected",
                "REJECT_NUMBER": "rejected", "REJECT_CONTENT": "rejected",
                "REJECT_QUOTA": "limited"}
        rules = {}
        for line in (ROOT / "worker/error-rules.tsv").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                code, action, scope = line.split("\t")[:3]
                rules[code] = (action, scope)
        found = {}
        for line in (ROOT / "worker/error-codes.tsv").read_text(encoding="utf-8").splitlines():
            code, _, action, text = line.split("\t")
            own, scope = rules.get(code, ("-", "-"))
            action = own if own != "-" else action
            if "[ambiguous" in text:
                found[code] = "in doubt"
            elif action == "CONFIG":
                found[code] = "scene stopped" if scope == "scene" else "account stopped"
            else:
                found[code] = says[action]
        return found


class Producers(unittest.TestCase):
    def test_fields_states_and_reasons_are_those_of_the_domain(self):
        header = (ROOT / "common/domain/job_state.h").read_text(encoding="utf-8")
        states = re.findall(r'X\(\w+, "(\w+)", (?:true|false)\)', header)
        self.assertEqual(len(states), 11)
        for state in states:
            self.assertIn(f"`{state}`", PRODUCERS)
        # Those of issues to come are not promised yet.
        reasons = set(re.findall(r'X\(\w+, "(\w+)"\)', header)) - {"phone", "address", "carrier",
                                                                   "deadline"}
        for reason in reasons:
            self.assertIn(f"`{reason}`", PRODUCERS)
        schema = (ROOT / "schema/job.schema.json").read_text(encoding="utf-8")
        for field in ("v", "job_id", "phone", "scene", "requested_at", "deadline", "locale",
                      "client_ip"):
            self.assertIn(f'"{field}"', schema)
            self.assertIn(f"| `{field}` |", PRODUCERS)


if __name__ == "__main__":
    unittest.main(verbosity=2)

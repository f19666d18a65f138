"""The manual pages: they render without a warning, and name the options that the programs have."""

import os
import re
import subprocess
import unittest

from blocks import BUILD, ROOT

MAN = ROOT / "docs/man"
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-zA-Z])(?![\w-])")


def help_of(program, *command):
    done = subprocess.run([BUILD / program, *command, "--help"], capture_output=True, text=True,
                          check=True, timeout=60)
    return set(OPTION.findall(done.stdout))


def options_in(roff):
    return set(OPTION.findall(re.sub(r"\\f[RBI]", " ", roff).replace("\\-", "-")))


def section(page, heading):
    """The text of a page's .SH section."""
    found = re.search(rf'^\.SH "?{heading}"?\n(.*?)(?=^\.SH|\Z)', page, re.M | re.S)
    if not found:
        raise AssertionError(f"there is no section {heading}")
    return found[1]


class Pages(unittest.TestCase):
    def test_each_page_renders_without_a_warning(self):
        pages = sorted(p.name for p in MAN.iterdir())
        self.assertEqual(pages, ["sendcode-receiver.1", "sendcode-sandbox.1", "sendcode-worker.1",
                                 "sendcode.conf.5", "sendcodectl.1"])
        for page in pages:
            done = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww", MAN / page],
                                  capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "LC_ALL": "C.UTF-8"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertGreater(len(done.stdout.splitlines()), 30, page)

    def test_options_of_each_other_program_are_those_of_its_help(self):
        for program in ("sendcode-worker", "sendcode-receiver", "sendcode-sandbox"):
            page = (MAN / f"{program}.1").read_text(encoding="utf-8")
            listed = options_in(section(page, "OPTIONS"))
            self.assertEqual(listed, help_of(program) | {"--help"}, program)

    def test_options_of_each_command_of_sendcodectl_are_those_of_its_help(self):
        page = (MAN / "sendcodectl.1").read_text(encoding="utf-8")
        self.assertEqual(options_in(section(page, "OPTIONS")), {"-c", "-h", "--help"})
        parts = re.split(r'^\.SS "', section(page, "COMMANDS"), flags=re.M)[1:]
        in_page = {}
        for part in parts:
            in_page.setdefault(part.split()[0], set()).update(options_in(part))
        summary = subprocess.run([BUILD / "sendcodectl", "--help"], capture_output=True, text=True,
                                 check=True, timeout=60).stdout
        names = re.findall(r"^  (\w+) ", summary.split("commands;")[1], re.M)
        self.assertEqual(sorted(in_page), sorted(names))
        for name in names:
            # -c stands before the command; --help in each is said once, in OPTIONS.
            self.assertEqual(in_page[name], help_of("sendcodectl", name) - {"-c"}, name)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""What is installed, and the package that cpack makes: everything is in its place and works there."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from blocks import BUILD, ROOT

SECRETS = {"TENCENT_SECRET_ID": "a", "TENCENT_SECRET_KEY": "b",
           "SENDCODE_CODE_KEY": "1" * 64, "SENDCODE_VERIFY_KEY": "2" * 64,
           "SENDCODE_RECEIPT_PATH": "/" + "3" * 40}


def run(*command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=170, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="sendcode-package-"))
        run("cpack", "-G", "DEB", "--config", BUILD / "CPackConfig.cmake", "-B", cls.dir, cwd=BUILD)
        cls.deb, = cls.dir.glob("sendcode_*.deb")
        cls.root = cls.dir / "root"
        run("dpkg-deb", "-x", cls.deb, cls.root)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir)

    def field(self, name):
        return run("dpkg-deb", "-f", self.deb, name).strip()

    def test_everything_has_its_place(self):
        expected = {
            "/etc/sendcode/sendcode.conf", "/usr/bin/sendcode-sandbox", "/usr/bin/sendcode-worker",
            "/usr/bin/sendcode-receiver", "/usr/bin/sendcodectl",
            "/usr/lib/systemd/system/sendcode-receiver.service",
            "/usr/lib/systemd/system/sendcode-worker.service",
            "/usr/share/doc/sendcode/nginx-receipts.conf",
            *(f"/usr/share/man/man{p.suffix[1]}/{p.name}" for p in (ROOT / "docs/man").iterdir()),
            *(f"/usr/share/doc/sendcode/docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
            *(f"/usr/share/doc/sendcode/{name}" for name in
              ("README.md", "README.zh.md", "copyright")),
            *(f"/usr/share/sendcode/{p.relative_to(ROOT)}" for p in (ROOT / "schema").rglob("*.*")),
        }
        found = {"/" + str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}
        self.assertEqual(found, expected)

    def test_it_depends_on_the_libraries_that_it_uses(self):
        depends = self.field("Depends")
        for library in ("librdkafka1", "libcurl4", "libpq5", "libjson-c5", "libevent", "libssl3"):
            self.assertIn(library, depends)

    def test_an_upgrade_keeps_the_operators_configuration(self):
        self.assertEqual(run("dpkg-deb", "-I", self.deb, "conffiles").split(),
                         ["/etc/sendcode/sendcode.conf"])

    def test_installed_programs_take_the_installed_configuration(self):
        for program in ("sendcode-worker", "sendcode-receiver"):
            out = run(self.root / "usr/bin" / program, "-c",
                      self.root / "etc/sendcode/sendcode.conf", "--check-config",
                      env={**os.environ, **SECRETS})
            self.assertIn("the configuration is good", out)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd here")
    def test_the_units_are_good_and_hardened(self):
        shutil.copytree("/usr/lib/systemd/system", self.root / "usr/lib/systemd/system",
                        dirs_exist_ok=True, symlinks=True)
        (self.root / "bin").mkdir(exist_ok=True)
        shutil.copy("/bin/kill", self.root / "bin/kill")
        for unit in ("sendcode-worker.service", "sendcode-receiver.service"):
            run("systemd-analyze", "verify", f"--root={self.root}", "--recursive-errors=no",
                "--man=no", unit)
            # 0 is the best, 10 the worst; network and credentials alone cost about one.
            run("systemd-analyze", "security", f"--root={self.root}", "--offline=true",
                "--threshold=20", unit)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""--broker: another process's client finds the topics, and reads what it wrote."""
import shutil
import subprocess
import tempfile
import unittest

from sandbox_process import Sandbox


@unittest.skipUnless(shutil.which("kcat"), "needs kcat")
class Broker(unittest.TestCase):
    def kcat(self, sandbox, *options, given=None):
        return subprocess.run(["kcat", "-b", sandbox.ready["brokers"], *options], input=given,
                              text=True, timeout=60, capture_output=True, check=True).stdout

    def test_the_three_topics_are_there(self):
        with Sandbox("--broker") as sandbox:
            listing = self.kcat(sandbox, "-L")
            for topic in ("sendcode.jobs", "sendcode.events", "sendcode.dead"):
                self.assertIn(f'topic "{topic}" with 12 partitions', listing)

    def test_a_configuration_names_the_topics(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write("[topics]\njobs = my.jobs\n")
            config.flush()
            with Sandbox("--broker", "-c", config.name) as sandbox:
                listing = self.kcat(sandbox, "-L")
                self.assertIn('topic "my.jobs" with 12 partitions', listing)
                self.assertIn('topic "sendcode.dead" with 12 partitions', listing)

    def test_records_come_back_with_their_keys(self):
        with Sandbox("--broker") as sandbox:
            self.kcat(sandbox, "-P", "-t", "sendcode.jobs", "-K", "\t",
                      given="+8613800138000\t{\"v\":1}\n")
            read = self.kcat(sandbox, "-C", "-t", "sendcode.jobs", "-e", "-o", "beginning", "-f",
                             "%k %s\\n")
            self.assertEqual(read, "+8613800138000 {\"v\":1}\n")


if __name__ == "__main__":
    unittest.main()

"""Dead letters are put back by sendcodectl replay: which, how, how often, and what it says."""

import json
import signal
import subprocess
import unittest

from rig import BOOTSTRAP, BUILD, PATIENCE, Rig, now, wait_for

UNKNOWN_SCENE = "scene is not configured"
VERSION = "v is not 1"


class Letters(Rig):
    """Letters made by hand, without a worker."""

    def bury(self, *values, error=UNKNOWN_SCENE, topic=None, partition=0, offset=0, at=None,
             more=(), key="+8613800138000"):
        headers = [f"sendcode-error={error}", f"sendcode-topic={topic or self.name + '.jobs'}",
                   f"sendcode-partition={partition}", f"sendcode-offset={offset}",
                   f"sendcode-at={at or now()[:23] + 'Z'}"]
        arguments = [a for h in (*more, *headers) for a in ("-H", h)]
        lines = "\x02".join(f"{key}\x01{value}" for value in values)
        subprocess.run(["kcat", "-b", BOOTSTRAP, "-t", f"{self.name}.dead", "-P", "-K", "\x01", "-D",
                        "\x02", "-Z", *arguments], input=lines.encode(), check=True,
                       timeout=PATIENCE)

    def replay(self, *args, code=0):
        return self.ctl("replay", *args, code=code)

    def put_back(self):
        return [r["payload"] for r in self.consume("jobs")]

    def test_a_letter_is_put_back_as_it_was(self):
        value = '{ "v" : 1.0, "x":"\\u00e9é\\/" }'
        self.bury(value, more=["traceparent=00-ab", "x-bin=é", "sendcode-replays=4",
                               "sendcode-foo=1", "x-bin=again"])
        self.bury("", key="")
        self.replay("--yes")
        whole, bare = sorted(self.consume("jobs"), key=lambda r: r["payload"] or "", reverse=True)
        self.assertEqual(whole["payload"], value)
        self.assertEqual(whole["key"], "+8613800138000")
        self.assertEqual(whole["headers"], ["traceparent", "00-ab", "x-bin", "é", "x-bin", "again",
                                            "sendcode-replays", "5"])
        self.assertIsNone(bare["payload"])
        self.assertIsNone(bare["key"])
        self.assertEqual(bare["headers"], ["sendcode-replays", "1"])
        self.publish(self.job())
        partitions = {r["partition"] for r in self.consume("jobs") if r["key"]}
        self.assertEqual(len(partitions), 1)  # the key decides, as it does for any producer

    def test_without_yes_it_only_shows(self):
        self.bury(json.dumps(self.job()), error=VERSION)
        self.bury(*[json.dumps(self.job(scene="elsewhere"))] * 12)
        self.bury(json.dumps(self.job(requested_at="2026-01-01T00:00:00Z")))
        said = self.replay()
        self.assertIn("would be put back: 14", said)
        self.assertRegex(said, r"(?m)^version +ok +1$")
        self.assertRegex(said, r"(?m)^unknown_scene +unknown_scene +12$")
        self.assertRegex(said, r"(?m)^unknown_scene +late +1$")
        self.assertIn("… and 4 more", said)
        self.assertIn("--yes", said)
        for secret in ("13800138000", "elsewhere", self.name + "-"):
            self.assertNotIn(secret, said)
        self.assertEqual(self.put_back(), [])
        self.assertEqual(self.query("select count(*) from sendcode.dead_letter_replay"), [(0,)])

    def test_filters_pick_by_reason_time_and_partition(self):
        self.bury("a", error=VERSION, at="2026-11-24T08:00:00.000Z", partition=0)
        self.bury("b", error=VERSION + " (replayed 2 times)", at="2026-11-24T09:00:00.000Z",
                  partition=1)
        self.bury("c", error="of a version to come", at="2026-11-24T10:00:00.000Z", partition=1)
        for arguments, wanted in ((["--reason", "version"], 2), (["--reason", "to come"], 1),
                                  (["--reason", "scene"], 0), (["--partition", "1"], 2),
                                  (["--from", "2026-11-24T09:00:00Z"], 2),
                                  (["--to", "2026-11-24T17:00:00+08:00"], 1),
                                  (["--reason", "version", "--partition", "1"], 1)):
            with self.subTest(arguments):
                self.assertIn(f"would be put back: {wanted}\n", self.replay(*arguments))
        self.replay("--yes", "--from", "2026-11-24T09:00:00Z", "--to", "2026-11-24T10:00:00Z")
        self.assertEqual(self.put_back(), ["b"])

    def test_what_cannot_be_put_back_is_counted(self):
        self.bury("", more=["sendcode-omitted=code"])
        self.bury("a", topic="other.jobs")
        self.bury("not json", "[]")
        self.publish("no dead letter", topic="dead")
        self.bury(json.dumps(self.job()))
        said = self.replay("--fresh", "--yes")
        for sentence in ("(sendcode-omitted): 1", f"another topic than {self.name}.jobs: 1",
                         "no JSON object: 2", "headers of a dead letter: 1", "\nput back: 1\n"):
            self.assertIn(sentence, said)
        self.assertEqual(len(self.put_back()), 1)

    def test_fresh_changes_two_members_alone(self):
        self.bury('{"v":1,"requested_at":"2026-01-01T00:00:00Z", "x":[1.50] ,'
                  '"deadline":"2026-01-01T00:01:00Z"}')
        begun = now()
        self.replay("--fresh", "--yes")
        value = self.put_back()[0]
        at = json.loads(value)["requested_at"]
        self.assertEqual(value, f'{{"v":1,"requested_at":"{at}", "x":[1.50] }}')
        self.assertLessEqual(begun[:23], at)
        self.assertLess(at, now(1))

    def test_each_letter_once_unless_forced(self):
        self.bury("a", "b")
        self.assertIn("\nput back: 2\n", self.replay("--yes"))
        again = self.replay("--yes")
        self.assertIn("put back: 0\n", again)
        self.assertIn("put back before (--force does it again): 2", again)
        self.assertIn("would be put back: 0\n", self.replay())
        self.assertIn("would be put back: 2\n", self.replay("--force"))
        self.replay("--yes", "--force")
        self.assertEqual(sorted(self.put_back()), ["a", "a", "b", "b"])
        self.assertEqual(self.query("select distinct times from sendcode.dead_letter_replay"),
                         [(2,)])

    def test_letters_of_a_topic_made_anew_are_others(self):
        self.bury("a")
        self.replay("--yes")
        self.query("update sendcode.dead_letter_replay set dead_at = dead_at - interval '1 day'")
        self.replay("--yes")
        self.assertEqual(self.put_back(), ["a", "a"])

    def test_what_is_too_large_is_told_and_not_marked(self):
        self.bury("x" * 3000, "small")
        self.write_config({**self.config(), "kafka": {
            "bootstrap.servers": BOOTSTRAP, "message.max.bytes": "2000"}})
        self.assertIn("no record of their size: 1", self.replay("--yes"))
        self.assertEqual(self.put_back(), ["small"])
        self.write_config()
        self.replay("--yes")
        self.assertEqual(sorted(map(len, self.put_back())), [5, 3000])

    def start(self):
        return subprocess.Popen([BUILD / "sendcodectl", "-c", self.config_path, "replay", "--yes"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_two_at_once_put_each_back_once(self):
        values = [str(i) for i in range(2000)]
        self.bury(*values)
        for program in [self.start(), self.start()]:
            said, _ = program.communicate(timeout=PATIENCE)
            self.assertEqual(program.returncode, 0, said)
        self.assertEqual(sorted(self.put_back()), sorted(values))

    def test_an_interrupted_one_says_how_many_and_the_next_does_the_rest(self):
        values = [str(i) for i in range(20000)]
        self.bury(*values)
        program = self.start()
        subprocess.run(["kcat", "-b", BOOTSTRAP, "-t", f"{self.name}.jobs", "-C", "-c", "1", "-q"],
                       check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
        program.send_signal(signal.SIGINT)
        said, _ = program.communicate(timeout=PATIENCE)
        self.assertEqual(program.returncode, 1, said)
        done = len(self.put_back())
        self.assertLess(done, len(values))
        self.assertIn(f"interrupted after {done};", said)
        self.assertIn(f"put back before (--force does it again): {done}", self.replay("--yes"))
        self.assertEqual(sorted(self.put_back()), sorted(values))

    def test_the_workers_role_suffices(self):
        self.bury("a")
        self.replay("--yes", "--dsn", self.dsn + " options='-c role=sendcode_worker'")
        self.assertEqual(self.put_back(), ["a"])
        said = self.replay("--yes", "--dsn", self.dsn + " options='-c role=sendcode_auditor'",
                           code=78)
        self.assertIn("may not do this", said)

    def test_bad_arguments_and_absent_services(self):
        for arguments in (["--from", "yesterday"], ["--to", "2026-11-24"], ["--partition", "-1"],
                          ["--reason"], ["--nonsense"], ["more"], ["--dsn", "password=x"]):
            with self.subTest(arguments):
                self.replay(*arguments, code=64)
        self.replay("--dsn", "host=/nonexistent", code=69)
        self.write_config({**self.config(), "kafka": {"bootstrap.servers": "127.0.0.1:1"}})
        self.assertIn("bootstrap.servers", self.replay("--yes", code=69))
        self.write_config()
        self.assertIn("put back: 0\n", self.replay())
        self.query("drop function sendcode.replays_find")
        self.bury("a")
        self.assertIn("sendcodectl migrate", self.replay(code=78))


class RoundTrip(Rig):
    def test_a_mended_scene_sends_what_was_dead_and_the_rest_says_how_often_it_came_back(self):
        worker = self.start_worker()
        waiting = self.publish(self.job(scene="signup"), headers=["traceparent=00-ab"])
        wrong = self.publish(self.job(phone="12"))
        wait_for("two dead letters", lambda: len(self.consume("dead")) == 2)

        self.scenes = {**self.scenes, "signup": {}}
        self.write_config()
        worker.tell(signal.SIGHUP)
        self.assertRegex(self.ctl("replay"), r"(?m)^unknown_scene +ok +1$")
        self.ctl("replay", "--reason", "unknown_scene", "--yes")
        self.wait_state(waiting, "sent")

        for times in (1, 2):
            self.ctl("replay", "--yes")
            wait_for("the letter to come back", lambda: len(self.consume("dead")) == 2 + times)
            letters = [r for r in self.consume("dead") if r["payload"] == json.dumps(wrong)]
            headers = self.headers(letters[-1] if len(letters) == 1 else max(
                letters, key=lambda r: int(self.headers(r).get("sendcode-replays", 0))))
            self.assertEqual(headers["sendcode-replays"], str(times))
            self.assertTrue(headers["sendcode-error"].endswith(
                f" (replayed {times} time{'s' if times > 1 else ''})"), headers)
        wait_for("the outcomes to be noted", lambda: self.query(
            "select count(*) from sendcode.other_records") == [(4,)])
        self.assertEqual(len(self.ledger()), 1)
        self.assert_accounts_whole()


if __name__ == "__main__":
    unittest.main()

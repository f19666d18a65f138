"""CODE_KEY and VERIFY_KEY rotate under way: no code is lost, and none is sent that cannot verify."""

import unittest

from rig import SECRETS, Rig, wait_for

CODE, VERIFY = SECRETS["SENDCODE_CODE_KEY"], SECRETS["SENDCODE_VERIFY_KEY"]
NEW_CODE, NEW_VERIFY, OTHER = "a1" * 32, "b2" * 32, "c3" * 32
PHONE = "+8613800138000"


def keys(code, verify):
    return {"SENDCODE_CODE_KEY": code, "SENDCODE_VERIFY_KEY": verify}


class Keys(Rig):
    scenes = {"register": {"cooldown": "0", "per_hour": "0"}}
    tencent = {"probe_interval": "1"}
    limits = {"provider_interval": "0"}

    def sent_by(self, env):
        """The code that a worker with these keys sends."""
        worker = self.start_worker(env=env)
        job = self.publish(self.job())
        self.wait_state(job, "sent")
        self.assertEqual(worker.end(), 0)
        return self.code_of(PHONE)

    def verdict(self, code, ring, expected):
        out = self.ctl("verify", PHONE, "register", stdin=code, code=0 if expected == "ok" else 1,
                       env={"SENDCODE_VERIFY_KEY": ring})
        self.assertIn(f"verdict: {expected}", out)

    def test_both_rings_rotate_without_losing_a_code(self):
        code = self.sent_by(keys(CODE, VERIFY))
        rotated = keys(f"{NEW_CODE},{CODE}", f"{NEW_VERIFY},{VERIFY}")
        self.assertEqual(self.sent_by(rotated), code)
        self.verdict(code, f"{NEW_VERIFY},{VERIFY}", "ok")
        code = self.sent_by(rotated)  # with the new keys
        self.verdict(code, VERIFY, "wrong")
        self.verdict(code, f"{VERIFY},{NEW_VERIFY}", "ok")

    def test_unknown_code_key_makes_a_new_code(self):
        self.sent_by(keys(CODE, VERIFY))
        code = self.sent_by(keys(NEW_CODE, VERIFY))
        self.verdict(code, VERIFY, "ok")

    def test_code_whose_proof_no_key_gives_is_not_sent(self):
        code = self.sent_by(keys(CODE, VERIFY))
        worker = self.start_worker(env=keys(CODE, OTHER))
        job = self.publish(self.job())
        self.wait_state(job, "retry", "configuration")
        wait_for("readyz to say so", lambda: self.status(worker, "/readyz")[0] == 503)
        self.assertEqual(self.status(worker, "/readyz")[1],
                         "intake is stopped for the account: keys differ; give every worker the "
                         "same SENDCODE_CODE_KEY and SENDCODE_VERIFY_KEY\n")
        self.assertTrue(worker.says("SENDCODE_VERIFY_KEY"))
        self.assertEqual(worker.end(), 0)
        self.assertEqual(len(self.ledger()), 1)
        self.start_worker(env=keys(CODE, f"{OTHER},{VERIFY}"))
        self.wait_state(job, "sent")
        self.assertEqual(self.code_of(PHONE), code)


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""Each role can do what the contract says, and nothing else."""
import unittest

import psycopg2

from psycopg2.extensions import make_dsn

from support import DSN, DatabaseTest, connect, now

VIEWS = ("deliveries", "attempts", "receipts", "accounting", "other_records", "daily",
         "provider_codes", "latency")
ROLES = ("worker", "receiver", "verifier", "auditor", "investigator")
# Functions by who may call them; every other function of the schema is the owner's alone.
MAY_CALL = {
    "take_epochs": {"worker"}, "claim": {"worker"}, "record": {"worker"},
    "note_records": {"worker"}, "sweep": {"worker"}, "outbox_take": {"worker"},
    "outbox_done": {"worker"}, "take_parked": {"worker"}, "settle": {"worker"},
    "release_parked": {"worker"}, "share_rate": {"worker"}, "unlock": {"worker"},
    "verify": {"worker", "verifier"},
    "timeline": {"worker", "auditor", "investigator"}, "schema_version": set(ROLES),
    "replays_find": {"worker"}, "replays_mark": {"worker"}, "replays_unmark": {"worker"},
    "join_receipts": {"worker"}, "store_receipts": {"worker"}, "take_pull": {"worker"},
    "overdue_receipts": {"worker"}, "take_conversions": {"worker"},
    "retain": {"worker"},
    "mask_phone": {"auditor", "investigator"}, "sees_phones": {"auditor", "investigator"},
    "phone_jobs": {"auditor", "investigator"}, "country_code": {"auditor", "investigator"}}

# What nobody but the owner touches. A new object stands here, or above, or in the receiver's right.
TABLES = set(
    "address_limit attempt challenge conversion_position counted_month dead_letter_replay delivery"
    " offset_gap"
    " outbox overdue_position pace parked partition_epoch partition_progress phone_limit"
    " rate_share receipt receipt_code receipt_overdue receipt_pull record_other schema_migration"
    " sweep_position wrong_try".split())
SEQUENCES = {"outbox_id_seq", "receipt_id_seq"}
OWNERS_FUNCTIONS = set(
    "address_until announce_late carried_erased charge_phones clear_doubt clock_slack code_id"
    " count_day count_months drop_code drop_deliveries drop_idle_phones drop_months drop_next"
    " drop_phones"
    " end_doubt end_retries erase erase_codes explain_receipt fair_share grace"
    " has_ambiguous_receipts is_ambiguous join_due judge_records keep_receipts lease_parked"
    " limit_address"
    " lock_addresses lock_epochs lock_phones make_partitions message_at move_job needed_until"
    " next_ask note_duplicate note_met note_overdue note_settlement old_months other_doubt park"
    " provider_day provider_day_end prune_gaps prune_others rank_batch receipt_phone receipt_wait"
    " reclaim record_life resume_retry settle_receipt settle_sent settle_unsent take_over"
    " take_receipts take_waiting try_phone wait_next was_unsent".split())
# What the receiver may fill in of a receipt.
RECEIPT_COLUMNS = {"source", "serial_no", "phone", "status", "code", "description",
                   "user_received_at", "raw", "fault"}

# What somebody may try who has got hold of a role, and which roles it is meant for.
TRIES = (
    ("select phone from sendcode.delivery", ()),
    ("select live_nonce, live_proof from sendcode.challenge", ()),
    ("select * from sendcode.wrong_try", ()),
    ("select raw from sendcode.receipt", ()),
    ("select max(id) from sendcode.receipt", ()),
    ("select pg_get_viewdef('sendcode.deliveries'::regclass); table sendcode.deliveries",
     ("auditor", "investigator")),
    ("select * from sendcode.receipt_code", ()),
    ("select * from sendcode.timeline('+8613800138000')", ("worker", "auditor", "investigator")),
    ("select * from sendcode.phone_jobs('+8613800138000')", ("auditor", "investigator")),
    ("update sendcode.delivery set verified_at = now()", ()),
    ("update sendcode.attempts set worker = ''", ()),
    ("delete from sendcode.attempt", ()),
    ("truncate sendcode.receipt", ()),
    ("insert into sendcode.delivery_" + f"{now():%Y%m}" + " (job_id) values ('mine')", ()),
    ("insert into sendcode.receipt (source, raw) values ('pull', '')", ("receiver",)),
    ("insert into sendcode.receipt (source, raw) values ('pull', '') returning id", ()),
    ("insert into sendcode.receipt (source, raw, received_at) values ('pull', '', now())", ()),
    ("insert into sendcode.receipt_" + f"{now():%Y%m}" + " (source, raw) values ('pull', '')", ()),
    ("copy sendcode.receipt (source, raw) to stdout", ()),
    ("lock sendcode.delivery in access share mode", ()),
    ("select * from sendcode.retain(0, 0, 0)", ("worker",)),
    ("select * from sendcode.erase('+8613800138000')", ()),
    ("select * from sendcode.unlock('+8613800138000')", ("worker",)),
    ("select sendcode.make_partitions('2031-01-01', 1)", ()),
    ("select sendcode.move_job('j', current_date, 'sent', null, null, now())", ()),
    ("drop table sendcode.delivery", ()),
    ("alter table sendcode.challenge disable row level security", ()),
    ("create or replace view sendcode.daily as select 1", ()),
    ("create or replace function sendcode.grace() returns interval language sql as"
     " $$ select interval '1 year' $$", ()),
    ("grant select on sendcode.delivery to public", ()),
    ("set role sendcode_investigator; table sendcode.deliveries", ("investigator",)),
    ("set role postgres", ()),
    ("copy (select 1) to '/tmp/mine'", ()),
)


class Rights(DatabaseTest):
    def as_role(self, role, text, *args):
        """The rows, or the SQLSTATE of the refusal."""
        connection = connect(self.dbname)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"set role sendcode_{role}")
                cursor.execute(text, args)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            return error.pgcode
        finally:
            connection.close()

    def as_login(self, login, text):
        """None, or the SQLSTATE of the refusal; nothing stays done."""
        connection = psycopg2.connect(make_dsn(DSN, dbname=self.dbname, user=login))
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
            return None
        except psycopg2.Error as error:
            return error.pgcode
        finally:
            connection.close()

    def names(self, text):
        return {row[0] for row in self.sql(text)}

    def test_every_object_and_role_is_known_to_these_tests(self):
        self.assertEqual(self.names(
            "select relname from pg_class where relnamespace = 'sendcode'::regnamespace"
            " and relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not relispartition"),
            TABLES | set(VIEWS) | SEQUENCES)
        self.assertEqual(self.names(
            "select proname from pg_proc where pronamespace = 'sendcode'::regnamespace"),
            OWNERS_FUNCTIONS | set(MAY_CALL))
        self.assertEqual(self.names(
            r"select rolname from pg_roles where rolname like 'sendcode\_%%'"),
            {f"sendcode_{r}" for r in ROLES})

    def test_every_function_is_for_those_who_need_it_alone(self):
        functions = self.sql(
            "select p.proname, p.oid::regprocedure::text as signature from pg_proc p"
            " where p.pronamespace = 'sendcode'::regnamespace")
        for function in functions:
            allowed = {r for r in ROLES if self.sql(
                "select has_function_privilege(%s, %s, 'execute')", f"sendcode_{r}",
                function.signature)[0][0]}
            self.assertEqual(allowed, MAY_CALL.get(function.proname, set()), function.signature)
            self.assertFalse(self.sql("select has_function_privilege('public', %s, 'execute')",
                                      function.signature)[0][0], function.signature)

    def test_no_table_is_touched_but_receipts_by_the_receiver(self):
        tables = self.sql("select c.oid::regclass::text as name, c.relname from pg_class c"
                          " where c.relnamespace = 'sendcode'::regnamespace"
                          " and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')")
        for table in tables:
            for role in ROLES:
                for kind, right in (
                        # The receiver's right to insert is one to some columns.
                        (("sequence", "usage"), ("sequence", "select"), ("sequence", "update"))
                        if table.relname in SEQUENCES else
                        (("any_column", "select"), ("any_column", "insert"),
                         ("any_column", "update"), ("any_column", "references"),
                         ("table", "delete"), ("table", "truncate"), ("table", "trigger"))):
                    has = self.sql(f"select has_{kind}_privilege(%s, %s, %s)",
                                   f"sendcode_{role}", table.name, right)[0][0]
                    wanted = (table.relname in VIEWS and right == "select"
                              and role in ("auditor", "investigator")
                              or table.relname == "receipt" and right == "insert"
                              and role == "receiver")
                    self.assertEqual(has, wanted, (table.relname, role, right))

    def test_the_receiver_fills_in_what_came_and_nothing_that_is_ours(self):
        self.assertEqual(self.names(
            "select attname from pg_attribute where attrelid = 'sendcode.receipt'::regclass"
            " and attnum > 0 and not attisdropped and has_column_privilege("
            "'sendcode_receiver', attrelid, attnum, 'insert')"), RECEIPT_COLUMNS)

    def test_what_a_role_is_not_meant_to_do_is_refused_when_it_is_tried(self):
        for role in ROLES:
            login = f"sql_{role}_{self.dbname[-8:]}"
            # A login of its own, as in service: a superuser could set any role.
            self.sql(f"create role {login} login in role sendcode_{role}")
            try:
                for text, roles in TRIES:
                    with self.subTest(role=role, text=text):
                        told = self.as_login(login, text)
                        self.assertEqual(told, None if role in roles else "42501")
            finally:
                self.sql(f"drop role {login}")

    def test_no_role_may_make_anything(self):
        for role in ROLES:
            self.assertEqual(self.as_role(role, "create table sendcode.mine (a int)"), "42501")

    def test_roles_cannot_log_in(self):
        able = self.sql("select rolcanlogin or rolsuper or rolcreaterole or rolcreatedb as able"
                        " from pg_roles where rolname = any (%s)", [f"sendcode_{r}" for r in ROLES])
        self.assertEqual([tuple(a) for a in able], [(False,)] * len(ROLES))

    def test_the_verifier_verifies_and_sees_nothing(self):
        sent, _ = self.worker.send(self.job())
        rows = self.as_role("verifier", "select * from sendcode.verify(%s, 'login', null, %s)",
                            self.phone, b"w" * 32)
        self.assertEqual(rows[0].verdict, "wrong")
        self.assertEqual(self.as_role("verifier", "select * from sendcode.challenge"), "42501")
        self.assertEqual(self.as_role("verifier", "select * from sendcode.deliveries"), "42501")

    def test_the_receiver_inserts_receipts_and_reads_none(self):
        self.assertEqual(self.as_role(
            "receiver", "insert into sendcode.receipt (serial_no, phone, status, source, raw)"
            " values ('s', '+8613800138000', 'SUCCESS', 'callback', '{}')"), [])
        self.assertEqual(self.as_role(
            "receiver", "insert into sendcode.receipt (source, raw, match, job_id)"
            " values ('callback', '{}', 'joined', 'j')"), "42501")
        self.assertEqual(self.as_role("receiver", "select * from sendcode.receipt"), "42501")
        self.assertEqual(self.as_role("receiver", "delete from sendcode.receipt"), "42501")
        self.assertEqual(self.as_role("auditor", "select phone from sendcode.receipts")[0].phone,
                         "+86138****8000")

    def test_the_worker_works_with_functions_alone(self):
        self.worker.cursor.execute("set role sendcode_worker")
        row = self.job()
        _, answer = self.worker.send(row)
        self.assertEqual(answer.state, "sent")
        self.worker.take([0])
        self.worker.cursor.execute("select * from sendcode.sweep()")
        self.worker.cursor.execute("select * from sendcode.outbox_take(5)")
        self.worker.cursor.execute("select * from sendcode.timeline(%s)", (row["job_id"],))
        self.assertGreater(len(self.worker.cursor.fetchall()), 2)
        self.assertEqual(self.as_role("worker", "select * from sendcode.delivery"), "42501")

    def test_auditors_see_masked_phones_and_investigators_whole_ones(self):
        row = self.job(client_ip="192.0.2.9")
        self.worker.send(row)
        question = "select * from sendcode.deliveries where job_id = %s"
        masked = self.as_role("auditor", question, row["job_id"])[0]
        whole = self.as_role("investigator", question, row["job_id"])[0]
        self.assertEqual(masked.phone, self.phone[:6] + "****" + self.phone[-4:])
        self.assertEqual(whole.phone, self.phone)
        for role in ("auditor", "investigator"):
            told = self.as_role(role, "select * from sendcode.timeline(%s)", self.phone)
            self.assertGreater(len(told), 2)
            self.assertNotIn(self.phone[1:], str(told))

    def test_masks(self):
        for phone, masked in (("+8613800138000", "+86138****8000"), ("+12345678", "+****5678"),
                              ("+123456789012345", "+12345****2345"),
                              ("+1234567890", "+12****7890")):
            self.assertEqual(self.sql("select sendcode.mask_phone(%s)", phone)[0][0], masked)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Shows how verify's statements come by their rows.

verify_scans.py DATABASE: of the cluster that SENDCODE_TEST_DSN names (a superuser's), with at least one
challenge and a delivery of its phone. Exit 1 when one of them scans a table.
"""
import collections
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration" / "sql"))
import support  # noqa: E402


def count_scans(connection):
    """For a wrong code and a right one, in a transaction that is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("""begin; load 'auto_explain'; set auto_explain.log_min_duration = 0;
            set auto_explain.log_nested_statements = on""")
        cursor.execute("""with one as (
                select c.phone, c.scene, d.job_id, d.day
                from (select phone, scene from sendcode.challenge limit 1) c
                cross join lateral (select job_id, day from sendcode.delivery
                                    where phone = c.phone order by day desc limit 1) d)
            update sendcode.challenge c
            set live_proof = sha256(sha256('right')), live_job_id = one.job_id, live_day = one.day,
                live_end = now() + interval '1 hour', tries = 0, day_tries = 0
            from one where (c.phone, c.scene) = (one.phone, one.scene) returning c.phone, c.scene""")
        (phone, scene), = cursor.fetchall()
        cursor.execute("set client_min_messages = log")
        del connection.notices[:]
        for code, verdict in (("wrong", "wrong"), ("right", "ok")):
            cursor.execute("select verdict from sendcode.verify(%s, %s, null, sha256(%s))",
                           (phone, scene, code))
            assert cursor.fetchone()[0] == verdict
        plans = "".join(connection.notices)
        cursor.execute("rollback")
    return collections.Counter(re.findall(
        r"(?:Seq|Index(?: Only)?|Bitmap Heap) Scan .*?on \w+|Insert on \w+", plans))


def show(connection):
    """Prints them; whether all are found by an index."""
    scans = count_scans(connection)
    for scan, n in sorted(scans.items()):
        print(f"verify: {n} x {scan}")
    return bool(scans) and not any(scan.startswith(("Seq", "Bitmap")) for scan in scans)


if __name__ == "__main__":
    sys.exit(0 if show(support.connect(sys.argv[1])) else 1)

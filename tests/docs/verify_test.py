"""The examples of docs/verify.md, each run as it stands there, with the login that the document makes,
against PostgreSQL and the vectors of schema/verify-vectors.json."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import unittest

from blocks import BUILD, ROOT, blocks

sys.path.insert(0, str(ROOT / "tests/integration/sql"))
from support import Worker, connect, create_database, drop_database  # noqa: E402

DOCUMENT = ROOT / "docs/verify.md"
VECTORS = json.loads((ROOT / "schema/verify-vectors.json").read_text())["digest"]
FOLDER = BUILD / "clients"  # where tests/clients/install.sh put node's packages
LOCKED = "+8613900000001"


class Door(threading.Thread):
    """PostgreSQL's unix socket on a free port of loopback: JDBC speaks TCP only."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.loop = asyncio.new_event_loop()
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]

    def run(self):
        self.loop.run_forever()

    async def serve(self, reader, writer):
        inside = await asyncio.open_unix_connection(self.path)
        await asyncio.gather(self.pass_on(reader, inside[1]), self.pass_on(inside[0], writer))

    @staticmethod
    async def pass_on(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dbname = create_database()
        cls.addClassCleanup(drop_database, cls.dbname)
        cls.worker = Worker(cls.dbname)
        cls.role = "shop_" + cls.dbname
        admin = connect(cls.dbname)
        cls.addClassCleanup(connect("postgres").cursor().execute, f"drop role {cls.role}")
        admin.cursor().execute(re.sub(r"\bshop\b", cls.role, blocks(DOCUMENT, "sql")[0].text))
        cls.worker.cursor.execute("show unix_socket_directories")
        door = Door(cls.worker.cursor.fetchone()[0] + "/.s.PGSQL.5432")
        door.start()
        address = f"//127.0.0.1:{door.port}/{cls.dbname}"
        cls.env = {**os.environ, "DATABASE_URL": f"postgresql://{cls.role}@{address[2:]}",
                   "JDBC_URL": f"jdbc:postgresql:{address}?user={cls.role}",
                   # As while keys rotate: one that made nothing here stands first.
                   "SENDCODE_VERIFY_KEY": ",".join(["5" * 64] + [v["verify_key"] for v in VECTORS])}

    def send(self, phone, scene, stored, **given):
        row = self.worker.job(phone=phone, scene=scene, proof=bytes.fromhex(stored), **given)
        self.worker.send(row)
        return row["job_id"]

    def program(self, language):
        text = blocks(DOCUMENT, language)[0].text
        name = re.match(r"(?:#|//) (\S+)\n", text)[1]
        folder = FOLDER / f"verify-{language}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        return folder, name

    def check(self, *command):
        lines, wanted = [], []
        for v in VECTORS:
            job_id = self.send(v["phone"], v["scene"], v["stored"])
            lines += [f"{v['phone']} {v['scene']} {code}" for code in ("0000", v["code"], v["code"])]
            wanted += ["wrong 4 - -", f"ok - - {job_id}", "none - - -"]
        self.send(LOCKED, "login", VECTORS[0]["stored"], max_tries=1, resend_same=False)
        lines += [f"{LOCKED} login 111111"] * 2
        wanted += ["wrong 0 - -", "locked 0 3600 -"]
        done = subprocess.run(command, input="\n".join(lines) + "\n", text=True, timeout=120,
                              capture_output=True, env=self.env)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), wanted)
        self.worker.cursor.execute("select sendcode.unlock(%s)", (LOCKED,))

    def test_node(self):
        folder, name = self.program("js")
        self.check("node", str(folder / name))

    def test_go(self):
        go = shutil.which("go") or "/usr/local/go/bin/go"
        folder, _ = self.program("go")
        for name in ("go.mod", "go.sum"):
            shutil.copy(ROOT / "tests/clients" / name, folder)
        built = subprocess.run([go, "build", "-o", "verify", "."], cwd=folder, text=True,
                               capture_output=True, timeout=300,
                               env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"})
        self.assertEqual(built.returncode, 0, built.stderr)
        self.check(str(folder / "verify"))

    def test_java(self):
        folder, name = self.program("java")
        self.check("java", "-cp", "/usr/share/java/postgresql.jar", str(folder / name))

    def test_python(self):
        folder, name = self.program("python")
        self.check("/usr/bin/python3", str(folder / name))


if __name__ == "__main__":
    unittest.main(verbosity=2)

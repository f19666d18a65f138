"""sendcode-receiver on a database of its own, logged in with the least role."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "worker"))

import rig
from rig import BUILD, Program, wait_for

PATH = "/receipts/3f1c5b7a9d2e4f60a1b2c3d4e5f60718"
OK = {"result": 0, "errmsg": "OK"}


def receipt(**given):
    """As Tencent sends it; None leaves a member out."""
    members = {"user_receive_time": "2026-11-24 08:00:05", "nationcode": "86",
               "mobile": "13800138000", "report_status": "SUCCESS", "errmsg": "DELIVRD",
               "description": "用户短信送达成功", "sid": "2019:538520227", **given}
    return {k: v for k, v in members.items() if v is not None}


class ReceiverTest(rig.Rig):
    receiver = {}

    template = None  # a migrated database, of which each test has a copy

    @classmethod
    def run_admin(cls, sql):
        admin = psycopg2.connect(cls.server_dsn)
        admin.autocommit = True
        with admin.cursor() as c:
            c.execute(sql)
        admin.close()

    def make_database(self):
        # Cleanups run last first: the role goes when its database is gone.
        self.role = f"r_{self.name}"
        self.addCleanup(self.run_admin, f"drop role if exists {self.role}")
        self.addCleanup(self.drop_database)
        self.dsn = f"{self.server_dsn} dbname={self.name}"
        self.run_admin(f"create database {self.name} template {self.template or 'template1'}")

    def setUp(self):
        super().setUp()
        if not self.template:
            type(self).template = f"{self.name}_template"
            self.addClassCleanup(self.run_admin, f"drop database {self.template}")
            self.run_admin(f"create database {self.template} template {self.name}")
        self.query(f"create role {self.role} login; grant sendcode_receiver to {self.role}")

    def start_sandbox(self):
        """None is needed."""

    def config(self):
        return {"postgres": {"dsn": self.dsn}}

    def ctl(self, *args, **more):
        """Only `migrate` is called, and there are no topics."""
        return None if self.template else super().ctl("migrate", **more)

    def start_receiver(self, dsn=None, up=True, path=PATH, **keys):
        config = self.dir / f"receiver{len(self.programs)}.conf"
        keys = {"listen": "127.0.0.1:0", "dsn": dsn or f"{self.dsn} user={self.role}",
                **self.receiver, **keys}
        config.write_text("[receiver]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()))
        program = Program([BUILD / "sendcode-receiver", "-c", config], config.with_suffix(".log"),
                          {"SENDCODE_RECEIPT_PATH": path})
        self.programs.append(program)
        if up:
            wait_for("the receiver", lambda: program.says("callbacks are taken"))
            line, = [l for l in program.text().splitlines() if "callbacks are taken" in l]
            program.port = int(line.rsplit("port=", 1)[1])
        return program

    @staticmethod
    def post(port, body, path=PATH, headers=None, method="POST"):
        """Status and answer; body: bytes, or what becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=data,
                                         headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=rig.PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as e:
            text = e.read()
            return e.code, json.loads(text) if text.startswith(b"{") else text.decode()

    def stored(self, columns="serial_no, phone, status, code, fault"):
        return self.query(f"select {columns} from sendcode.receipt order by id")


__all__ = ["BUILD", "OK", "PATH", "Program", "ReceiverTest", "json", "os", "receipt", "socket",
           "subprocess", "wait_for"]

# SPDX-License-Identifier: Apache-2.0
"""A client that says anything the protocol allows, and some things it does not, in bursts: random_session.py SEED BURSTS.

Every statement selects a number of its own, so whoever attributes rows to texts can be checked: a row of "select 17" says 17.
"""
import os
import random
import select
import socket
import struct
import sys

NAMES = [b"", b"", b"a", b"b", b"c"]


class Session:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = seed * 100000
        self.out = b""
        self.sock = socket.create_connection((os.environ["PGHOST"], int(os.environ["PGPORT"])))
        body = struct.pack("!I", 196608) + b"user\0app\0database\0app\0\0"
        self.sock.sendall(struct.pack("!I", len(body) + 4) + body)
        self.drain(0.5)

    def drain(self, patience):
        """Reads until the server has been quiet for that long; False when it closed."""
        while select.select([self.sock], [], [], patience)[0]:
            if not self.sock.recv(1 << 16):
                return False
        return True

    def put(self, kind, body=b""):
        self.out += kind + struct.pack("!I", len(body) + 4) + body

    def flush(self):
        data, self.out = self.out, b""
        while data:         # the server may see any piece first
            n = self.random.choice([len(data), self.random.randint(1, len(data))])
            self.sock.sendall(data[:n])
            data = data[n:]

    def one(self):
        self.number += 1
        return self.number

    def statement(self):
        n = self.one()
        return self.random.choice([
            f"select {n}", f"select {n}", f"select {n}, 'x'::text", f"select {n} from generate_series(1, {self.random.randint(0, 6)})",
            f"select {n} / 0", f"selec {n}", f"select {n} from nowhere", f"insert into t values ({n}) returning id", f"/* {n} */",
            f"set application_name = 'n{n}'", "begin", "commit", "rollback", f"copy (select {n}) to stdout", f"notify c, '{n}'",
        ])

    def name(self):
        return self.random.choice(NAMES)

    def parse(self):
        text = self.random.choice([self.statement, lambda: f"select {self.one()}, $1::int"])()
        self.put(b"P", self.name() + b"\0" + text.encode() + b"\0" + struct.pack("!H", 0))

    def bind(self):
        values = self.random.choice([[], [], [b"1"], [b"no number"], [None]])
        body = self.name() + b"\0" + self.name() + b"\0" + struct.pack("!HH", 0, len(values))
        for value in values:
            body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
        formats = self.random.choice([b"\0\0", b"\0\1\0\1", b"\0\1\0\0"])
        self.put(b"B", body + formats)

    def execute(self):
        self.put(b"E", self.name() + b"\0" + struct.pack("!i", self.random.choice([0, 0, 1, 2])))

    def describe(self):
        self.put(b"D", self.random.choice([b"S", b"P"]) + self.name() + b"\0")

    def close(self):
        self.put(b"C", self.random.choice([b"S", b"P"]) + self.name() + b"\0")

    def whole(self):
        """A well-formed execution."""
        name, n = self.random.choice([b"", b"", b"a"]), self.one()
        if name:
            self.put(b"C", b"S" + name + b"\0")
        self.put(b"P", name + b"\0" + f"select {n} from generate_series(1, 3)".encode() + b"\0\0\0")
        self.put(b"B", b"\0" + name + b"\0" + b"\0\0\0\0\0\0")
        if self.random.random() < 0.5:
            self.put(b"D", b"P\0")
        self.put(b"E", b"\0" + struct.pack("!i", self.random.choice([0, 0, 2])))

    def query(self):
        self.put(b"Q", "; ".join(self.statement() for _ in range(self.random.choice([1, 1, 1, 2, 3]))).encode() + b"\0")

    def copy(self):
        """COPY FROM in either protocol, with Syncs and Flushes where they are swallowed, its end always behind it."""
        table = self.random.choice(["t", "t", "nowhere"])
        if self.random.random() < 0.5:
            self.put(b"Q", f"copy {table} from stdin\0".encode())
        else:
            self.put(b"P", b"\0" + f"copy {table} from stdin\0".encode() + b"\0\0")
            self.put(b"B", b"\0\0\0\0\0\0\0\0")
            self.put(b"E", b"\0\0\0\0\0")
        if self.random.random() < 0.4:
            self.put(b"S")
        if self.random.random() < 0.3:
            self.flush()
            self.drain(0.03)
        for _ in range(self.random.randint(0, 3)):
            self.put(b"d", self.random.choice([b"1\n", b"2\n", b"2\n", b"bad\n"]))
            if self.random.random() < 0.1:
                self.put(b"H")
        self.put(*self.random.choice([(b"c",), (b"c",), (b"f", b"gave up\0")]))
        self.put(b"S")

    def burst(self):
        """False when the server has gone."""
        deeds = [self.parse, self.bind, self.bind, self.execute, self.execute, self.describe, self.close, self.whole, self.whole, self.whole]
        for _ in range(self.random.randint(1, 8)):
            what = self.random.random()
            if what < 0.15:
                self.query()
            elif what < 0.2:
                self.put(b"S")
                self.copy()
            elif what < 0.35:
                self.put(b"S")
            elif what < 0.45:
                self.put(b"H")
                self.flush()
                if not self.drain(0.02):
                    return False
            else:
                self.random.choice(deeds)()
        if self.random.random() < 0.8:
            self.put(b"S")
        self.flush()
        return self.drain(0.02)


def main():
    session = Session(int(sys.argv[1]))
    session.put(b"Q", b"create temp table t (id int)\0")
    session.put(b"Q", b"listen c\0")
    try:
        for _ in range(int(sys.argv[2])):
            if not session.burst():
                return
        session.put(b"S")
        session.put(b"X")
        session.flush()
        session.drain(0.2)
    except OSError:
        pass        # the server closed on us, which it may


main()

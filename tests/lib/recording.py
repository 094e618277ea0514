# SPDX-License-Identifier: Apache-2.0
"""Reads the statements of a recording made with --record-values, as reports/store/FORMAT.md says they are laid out.

Never: uses the program: what it wrote is read with other eyes.
"""
import collections
import contextlib
import json
import sqlite3
import struct
import subprocess

OUTCOMES = ("ok", "empty", "error", "skipped", "lost")
BATCH, UNDONE = 1, 256  # flags: its own duration cannot be told; its transaction was rolled back

# One statement. text, params: None where they were not recorded; a parameter is its text form, None for NULL, MISSING when it is not known.
# code: SQLSTATE or error number, "" without an error; busy_ms: how long the client waited for it.
Statement = collections.namedtuple("Statement", "shape text params outcome code rows affected busy_ms flags")
MISSING = object()


class Packed:
    """The numbers and texts of one `data` column."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, n):
        self.at += n
        assert self.at <= len(self.data), "the data ends early"
        return self.data[self.at - n:self.at]

    def number(self):
        value = shift = 0
        while True:
            byte = self.bytes(1)[0]
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self):
        value = self.number()
        return (value >> 1) ^ -(value & 1)

    def text(self):
        return self.bytes(self.number())

    def numbers(self, n):
        return [self.number() for _ in range(n)]


def packed_statements(packed):
    """(shape id, connection, seq or 0, Statement without shape, text and params) of each."""
    for _ in range(packed.number()):
        shape, bits, flags, lane, _, _, busy, _, rows, affected, _ = (
            *packed.numbers(5), packed.signed(), *packed.numbers(5))
        packed.bytes(8 * ((bits & 1) + (bits >> 1 & 1)))
        outcome, code = (packed.number(), packed.bytes(7)) if bits & 4 else (0, b"")
        packed.numbers(bin(bits & 0xf8).count("1"))
        assert bits < 512, "a newer format"
        seq = packed.number() if bits & 256 else 0
        yield shape, lane, seq, Statement(None, None, None, OUTCOMES[outcome], code.rstrip(b"\0").decode(), rows, affected, busy / 1e6, flags)


def packed_request(packed):
    """(session, shape id, seq, Statement) of a request's statements."""
    assert packed.number() == 2, "another version of the format"
    packed.numbers(7)
    for _ in range(2):
        for _ in range(packed.number()):
            packed.text(), packed.text()
    sessions = []
    for _ in range(packed.number()):
        sessions.append(packed.number())
        packed.number(), packed.text()
    for shape, lane, seq, statement in packed_statements(packed):
        yield sessions[lane], shape, seq, statement


def values(data):
    """The parameters in texts.data."""
    packed = Packed(data)
    packed.numbers(2)
    found = []
    for _ in range(packed.number()):
        packed.number()
        length = packed.signed()
        found.append(None if length == -1 else MISSING if length == -2 else packed.bytes(length).decode(errors="surrogateescape"))
    return found


def shape_names(program, dialect, texts):
    """The shape of each text by `rowcall fingerprint`; of a longer text that of its first statement."""
    done = subprocess.run([program, "fingerprint", "--null", "--json", "--dialect", dialect], check=True, stdout=subprocess.PIPE,
                          input="".join(text.replace("\0", "?") + "\0" for text in texts).encode(errors="surrogateescape"))
    shapes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shapes) == len(texts)
    return [(shape.get("statements") or [shape])[0]["shape"].removesuffix(" …") for shape in shapes]


def statements(program, dialect, file):
    """All Statements of a recording. Strays do not tell their session: a text of the same number and shape that nobody else has is theirs."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        # Text is whatever bytes the client sent.
        database.text_factory = lambda data: data.decode(errors="surrogateescape")
        shapes = dict(database.execute("SELECT id, shape FROM shapes"))
        texts = {(session, seq): (text, values(data)) for session, seq, text, data in database.execute("SELECT * FROM texts")}
        found = []
        for (data,) in database.execute("SELECT data FROM requests"):
            for session, shape, seq, statement in packed_request(Packed(data)):
                text, params = texts.pop((session, seq)) if seq else (None, None)
                found.append(statement._replace(shape=shapes[shape], text=text, params=params))
        left = collections.defaultdict(list)
        for ((_, seq), known), shape in zip(texts.items(), shape_names(program, dialect, [text for text, _ in texts.values()])):
            left[seq, shape].append(known)
        for (data,) in database.execute("SELECT data FROM strays ORDER BY id"):
            for shape, _, seq, statement in packed_statements(Packed(data)):
                theirs = left[seq, shapes[shape].removesuffix(" …")] if seq else [(None, None)]
                assert theirs, f"no text of the shape {shapes[shape]!r} that a stray has"
                text, params = theirs.pop()
                found.append(statement._replace(shape=shapes[shape], text=text, params=params))
    assert not any(left.values()), "texts that belong to no statement"
    return found

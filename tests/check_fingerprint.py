#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_fingerprint.py ROWCALL: `rowcall fingerprint` as a Unix filter: records, lines, JSON, streams of any size in bounded memory, errors."""
import json
import os
import resource
import subprocess
import sys
import tempfile
import unicodedata
import unittest

ROWCALL = sys.argv.pop(1)
EMPTY = "2fbc593564db792e"      # of the empty shape
MEMORY = 64 << 20               # bytes; the program itself takes about ten
SANITIZED = subprocess.run(["grep", "-q", "__asan_init", ROWCALL]).returncode == 0


def run(*options, text=b"", **more):
    return subprocess.run([ROWCALL, "fingerprint", *options], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, **more)


def lines(*options, text):
    """(fingerprint, shape) of each line; the output must be well-formed and the status 0."""
    done = run(*options, text=text)
    assert done.returncode == 0, done
    assert done.stdout == b"" or done.stdout.endswith(b"\n"), done
    out = [line.split("\t") for line in done.stdout.decode().split("\n")[:-1]]
    for one in out:
        assert len(one) == 2 and len(one[0]) == 16 and int(one[0], 16) and one[0] == one[0].lower(), one
    return out


class Filter(unittest.TestCase):
    def test_each_record_gives_one_line_in_order(self):
        out = lines("-0", text=b"SELECT 1\nFROM t\0SELECT a FROM u;\0-- nothing\nSELECT b FROM v")
        self.assertEqual([shape for _, shape in out], ["SELECT ? FROM t", "SELECT a FROM u", "SELECT b FROM v"])

    def test_a_record_of_several_statements(self):
        (joined, shape), (alone, same) = lines("-0", text=b"BEGIN; SELECT 1 FROM t; ;COMMIT\0BEGIN; SELECT ? FROM t; COMMIT\0")
        self.assertEqual((shape, same), ("BEGIN; SELECT ? FROM t; COMMIT",) * 2)
        self.assertEqual(joined, alone)
        self.assertNotEqual(joined, lines("-0", text=b"BEGIN\0")[0][0])

    def test_empty_records(self):
        self.assertEqual(lines("-0", text=b"\0\0;\0 -- c\n\0"), [[EMPTY, ""]] * 4)
        self.assertEqual(lines("-0", text=b""), [])

    def test_without_records_text_is_split_at_semicolons(self):
        text = b"SELECT ';' FROM t; ;;-- only a comment\nSELECT $$;$$ FROM u /*;*/;\nCREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END;SELECT 2 FROM v"
        self.assertEqual([shape for _, shape in lines(text=text)],
                         ["SELECT ? FROM t", "SELECT ? FROM u", "CREATE FUNCTION f() returns int BEGIN atomic SELECT ?; END", "SELECT ? FROM v"])

    def test_dialects_and_modes(self):
        self.assertEqual(lines("--dialect", "mysql", text=b'SELECT "a" # c\nFROM `T`')[0][1], "SELECT ? FROM T")
        self.assertEqual(lines("--dialect", "mysql", "--ansi-quotes", text=b'SELECT "a" FROM T')[0][1], "SELECT a FROM T")
        self.assertEqual(lines("--fold-shards", text=b"SELECT a FROM t_2026, t_2027")[0][1], "SELECT a FROM t_#, t_#")

    def test_json(self):
        one, several, none = [json.loads(line) for line in run("--json", "-0", text=b"INSERT INTO t VALUES (1) /*route='a'*/\0SELECT 1; SELECT 2\0\0").stdout.split(b"\n")[:-1]]
        self.assertEqual((one["class"], one["verb"], one["tables"], one["values"]), ("write", "INSERT", [{"name": "t", "write": True}], 1))
        self.assertEqual(one["tags"], [{"key": "route", "value": "a"}])
        self.assertEqual((several["shape"], len(several["statements"])), ("SELECT ?; SELECT ?", 2))
        self.assertEqual(none, {"fingerprint": EMPTY, "shape": "", "statements": []})

    def test_odd_bytes_keep_the_output_valid(self):
        for text in (bytes(range(1, 256)), b'SELECT "\n\t\x1b[31m" FROM t', b"'\xff\xfe", b"SELECT a\xff FROM t"):
            for options in ((), ("-0",), ("--dialect", "mysql")):
                for _, shape in lines(*options, text=text):
                    self.assertNotIn("Cc", map(unicodedata.category, shape), shape)

    @unittest.skipIf(SANITIZED, "a sanitizer's memory is its own")
    def test_streams_of_any_size_in_bounded_memory(self):
        streams = {
            "many records": (b"SELECT a FROM t WHERE b IN (1, 2, 3) AND c = 'secret'\0" * 1000, ("-0",)),
            "one record": (b"SELECT a, " * 5000, ("-0",)),
            "one string": (b"'" + b"s" * 50000, ()),
            "one statement": (b"INSERT INTO t VALUES (1, 'a'), " * 2000, ()),
            "parentheses": (b"(" * 50000, ()),
            "semicolons": (b";" * 50000, ("-0",)),
        }
        for name, (block, options) in streams.items():
            with self.subTest(name), tempfile.TemporaryFile() as out:
                limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                child = subprocess.Popen([ROWCALL, "fingerprint", *options], stdin=subprocess.PIPE, stdout=out, preexec_fn=limit)
                for _ in range((96 << 20) // len(block)):
                    child.stdin.write(block)
                child.stdin.close()
                self.assertEqual(child.wait(), 0)

    def test_what_was_cut_is_said(self):
        ((fingerprint, shape),) = lines("-0", text=b"SELECT a FROM t WHERE b = '" + b"s" * (2 << 20) + b"'")
        self.assertTrue(shape.startswith("SELECT a FROM t WHERE b = ?") and shape.endswith(" \N{HORIZONTAL ELLIPSIS}"), shape[-40:])
        self.assertEqual(shape.count("\N{HORIZONTAL ELLIPSIS}"), 1)
        self.assertEqual(lines("-0", text=shape.encode() + b"\0")[0], [fingerprint, shape])
        after = lines("-0", text=b"SELECT '" + b"s" * (2 << 20) + b"'\0SELECT b FROM t\0")
        self.assertEqual(after[1][1], "SELECT b FROM t")

    def test_files_and_errors(self):
        with tempfile.NamedTemporaryFile() as f:
            f.write(b"SELECT 1 FROM t")
            f.flush()
            self.assertEqual(len(run(f.name, f.name).stdout.split(b"\n")), 3)
            self.assertEqual(run(f.name, stdin=None).stdout, run("-", text=b"SELECT 1 FROM t").stdout)
        for options, status, what in ((("--dialect", "oracle"), 2, b"oracle"), (("--nonsense",), 2, b"--nonsense"), (("/nowhere/x",), 1, b"/nowhere/x"), (("--dialect",), 2, b"--dialect")):
            done = run(*options)
            self.assertEqual((done.returncode, done.stdout), (status, b""))
            self.assertIn(what, done.stderr)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([ROWCALL, "fingerprint"], input=b"SELECT 1", stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot write", done.stderr)
        self.assertIn(b"--dialect", run("--help").stdout)

    def test_a_reader_that_leaves(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([ROWCALL, "fingerprint"], input=b"SELECT 1;" * 100000, stdout=writing, stderr=subprocess.PIPE)
        os.close(writing)
        self.assertEqual(done.stderr, b"")


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""check_formats.py SAMPLE_REPORT: every machine format, over every hand-made snapshot, read by a consumer that is not ours.
SAMPLE_REPORT is the program that prints them. Ends like unittest."""
import json
import pathlib
import subprocess
import sys
import unittest

import jsonschema

TREE = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ["shop", "clean", "untagged", "nothing", "lossy", "hostile", "large"]
program = ""


def written(sample, form):
    """The bytes of a report, which must be UTF-8."""
    done = subprocess.run([program, sample, form], stdout=subprocess.PIPE, check=True, timeout=120)
    return done.stdout.decode("utf-8")


def no_duplicates(pairs):
    keys = [k for k, _ in pairs]
    assert len(keys) == len(set(keys)), f"duplicate keys in {keys}"
    return dict(pairs)


def parsed(text):
    def refuse(what):
        raise AssertionError(f"{what} is not JSON")
    return json.loads(text, object_pairs_hook=no_duplicates, parse_constant=refuse)


class Json(unittest.TestCase):
    schema = json.loads((TREE / "reports/report.schema.json").read_text())

    def test_the_schema_is_a_schema(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_every_sample_is_valid(self):
        check = jsonschema.Draft202012Validator(self.schema)
        for sample in SAMPLES:
            with self.subTest(sample):
                self.assertEqual([e.message for e in check.iter_errors(parsed(written(sample, "json")))], [])

    def test_the_schema_is_strict(self):
        """Every object is closed and requires what it lists: one key too many or too few anywhere is an error."""
        check = jsonschema.Draft202012Validator(self.schema)
        whole = parsed(written("lossy", "json"))

        def spoil(node, path):
            if isinstance(node, dict) and path[-1:] not in (["tags"], ["databases"]):
                node["surplus"] = 1
                self.assertFalse(check.is_valid(whole), path)
                del node["surplus"]
                for key in list(node):
                    if path == [] and key == "omitted":
                        continue
                    kept = {k: node[k] for k in node}
                    del node[key]
                    self.assertFalse(check.is_valid(whole), path + [key])
                    node.clear()
                    node.update(kept)
            for key, child in list(node.items() if isinstance(node, dict) else enumerate(node[:1])):
                if isinstance(child, (dict, list)):
                    spoil(child, path + [key])

        spoil(whole, [])
        self.assertTrue(check.is_valid(whole))

    def test_keys_in_the_documented_order(self):
        report = parsed(written("shop", "json"))
        self.assertEqual(list(report), "schema tool run gate coverage scopes requests findings shapes".split())
        self.assertEqual(list(report["run"]), "command started duration_ms upstreams fingerprint_version".split())
        self.assertEqual(list(report["gate"]), ["status", "failures"])
        self.assertEqual(list(report["coverage"]),
                         "statements queries tagged opaque_expected opaque_unexpected lost evidence_shed".split())
        self.assertEqual(list(report["scopes"][0]), "scope requests queries duplicates db_ms budget baseline".split())
        self.assertEqual(list(report["scopes"][0]["queries"]), "min p50 p95 max".split())
        self.assertEqual(list(report["requests"][0]),
                         "scope test request tags scope_from borders_from statements queries control setup round_trips duplicates "
                         "db_ms wall_ms databases findings".split())
        finding = report["findings"][0]
        self.assertEqual(list(finding), "id rule verdict level scope test request source repeat cost_at_1ms_rtt_ms location advice "
                                        "suppressed".split())
        self.assertEqual(list(finding["source"]), "fingerprint shape column rows".split())
        self.assertEqual(list(finding["repeat"]), "fingerprint shape executions distinct_parameters round_trips db_ms".split())
        self.assertEqual(list(finding["location"]), "file line origin".split())
        self.assertEqual(list(report["shapes"][0]), "fingerprint shape class executions db_ms rows errors".split())
        self.assertEqual(list(report["shapes"][0]["db_ms"]), "total mean p50 p95 p99 max".split())

    def test_references_hold(self):
        report = parsed(written("shop", "json"))
        ids = {f["id"] for f in report["findings"]}
        requests = {r["request"] for r in report["requests"]}
        self.assertEqual(len(ids), len(report["findings"]))
        for request in report["requests"]:
            self.assertLessEqual(set(request["findings"]), ids)
        for finding in report["findings"]:
            self.assertIn(finding["request"], requests)
        self.assertEqual(sum(r["queries"] for r in report["requests"]), report["coverage"]["queries"])

    def test_what_is_missing_is_told(self):
        self.assertNotIn("omitted", parsed(written("shop", "json")))
        self.assertEqual(parsed(written("lossy", "json"))["omitted"],
                         {"requests": 12000, "findings": 42, "recording_incomplete": True})

    def test_hostile_names_survive_as_text(self):
        report = parsed(written("hostile", "json"))
        self.assertIn("GET /\x1b[2J\x1b[31mred\x07\r\n::error::forged\x7f", [s["scope"] for s in report["scopes"]])
        raw = written("hostile", "json")
        self.assertFalse([c for c in raw if ord(c) < 32 and c != "\n" or 127 <= ord(c) < 160])


if __name__ == "__main__":
    program = sys.argv.pop(1)
    unittest.main()

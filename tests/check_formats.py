# SPDX-License-Identifier: Apache-2.0
"""check_formats.py SAMPLE_REPORT: every machine format, over every hand-made snapshot, read by a consumer that is not ours.
SAMPLE_REPORT is the program that prints them. Ends like unittest."""
import base64
import hashlib
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import attr
import jsonschema
import junitparser
import sarif_om

TREE = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ["shop", "clean", "untagged", "nothing", "lossy", "hostile", "large", "findings"]
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
                         "statements queries tagged opaque_expected opaque_unexpected lost evidence_shed skipped".split())
        self.assertEqual(list(report["scopes"][0]), "scope requests queries duplicates db_ms budget baseline".split())
        self.assertEqual(list(report["scopes"][0]["queries"]), "min p50 p95 max".split())
        self.assertEqual(list(report["requests"][0]),
                         "scope test request tags scope_from borders_from statements queries control setup round_trips duplicates "
                         "db_ms wall_ms databases findings rolled_back".split())
        finding = report["findings"][0]
        self.assertEqual(list(finding), "id rule verdict level scope test request source repeat evidence parent growth wasted_ms "
                                        "cost_at_1ms_rtt_ms location advice suppressed".split())
        self.assertEqual(list(finding["growth"]), "requests least_rows most_rows slope intercept says".split())
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


class Ndjson(unittest.TestCase):
    def test_lines_make_up_the_document(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                text = written(sample, "ndjson")
                self.assertTrue(text.endswith("\n"))
                lines = [parsed(line) for line in text.splitlines()]
                whole = {"scopes": [], "requests": [], "findings": [], "shapes": []}
                self.assertEqual(lines[0]["type"], "report")
                for line in lines:
                    self.assertEqual(list(line), ["type", line["type"]])
                    if line["type"] == "report":
                        whole.update(line["report"])
                    else:
                        whole[line["type"] + "s"].append(line[line["type"]])
                self.assertEqual(whole, parsed(written(sample, "json")))


class JUnit(unittest.TestCase):
    def cases(self, sample):
        xml_text = written(sample, "junit")
        xml.etree.ElementTree.fromstring(xml_text.encode())
        suites = junitparser.JUnitXml.fromstring(xml_text.encode())
        suite, = suites
        cases = list(suite)
        kinds = [type(r).__name__ for case in cases for r in case.result]
        for counts in (suites, suite):
            self.assertEqual((counts.tests, counts.failures, counts.errors, counts.skipped),
                             (len(cases), kinds.count("Failure"), kinds.count("Error"), kinds.count("Skipped")))
        return suite, cases

    def test_every_sample_is_read(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                report = parsed(written(sample, "json"))
                suite, cases = self.cases(sample)
                names = [(c.classname, c.name) for c in cases]
                self.assertEqual(len(names), len(set(names)), "the second of two equals would be dropped")
                self.assertEqual(sum(name == "query-budget" for _, name in names), len(report["scopes"]))
                self.assertTrue(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.timestamp))
                bad = suite.failures + suite.errors
                self.assertEqual(bad > 0, report["gate"]["status"] != "pass")

    def test_what_fails(self):
        _, cases = self.cases("shop")
        results = {(c.classname, c.name): c.result for c in cases}
        self.assertEqual(results["rowcall.POST /orders", "query-budget"], [])
        self.assertEqual(results["rowcall.GET /reports/sales", "slow-query qd41f00a"], [])
        failure, = results["rowcall.GET /orders", "n-plus-one q91bd02c"]
        self.assertIn("SELECT customers 50x", failure.message)
        self.assertIn("shop", [c for c in cases if c.name == "n-plus-one q91bd02c"][0]._elem.get("file"))
        self.assertIn("repeat: q91bd02c SELECT", failure.text)
        skipped, = results["rowcall.POST /orders", "n-plus-one q22e0aa9"]
        self.assertIn("three sections by layout", skipped.message)
        _, cases = self.cases("untagged")
        self.assertEqual([c.name for c in cases][-2:], ["n-plus-one q91bd02c", "n-plus-one q91bd02c a2b2c3d4e5f60718"])
        _, cases = self.cases("nothing")
        self.assertEqual(type(cases[0].result[0]).__name__, "Error")


class Tags(html.parser.HTMLParser):
    """Elements, attributes and text of rendered Markdown."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


class Markdown(unittest.TestCase):
    allowed = set("h2 p strong ul li table thead tbody tr th td code pre details summary".split())

    def rendered(self, sample):
        text = written(sample, "markdown")
        done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist"],
                              input=text.encode(), stdout=subprocess.PIPE, check=True)
        return text, Tags(done.stdout.decode())

    def test_names_never_become_markup(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                text, page = self.rendered(sample)
                self.assertLess(len(text.encode()), 65536, "the limit of a comment")
                self.assertTrue(text.startswith("<!-- rowcall -->\n## rowcall: "))
                self.assertLessEqual(set(page.elements), self.allowed)
                self.assertLessEqual({name for name, _ in page.attributes}, {"align", "lang", "class"})
                self.assertLessEqual(page.elements.count("table"), 1)
                plain = re.sub(r"(?s)<code>.*?</code>|`[^`]*`", "", text)
                self.assertFalse(re.search(r"(?<![\w`])[@#][\w]", plain), "a mention")

    def test_content(self):
        text, page = self.rendered("shop")
        self.assertEqual(page.elements.count("tr"), 1 + 6)
        self.assertEqual(page.elements.count("details"), 4)
        words = "".join(page.text)
        self.assertIn("customers.email FROM customers", words)
        self.assertIn("orders.customer_id \u2192 customers.id", words)
        self.assertIn("\\x1b[2J", "".join(self.rendered("hostile")[1].text))

    def test_a_table_row_per_scope(self):
        _, page = self.rendered("hostile")
        self.assertEqual(page.elements.count("tr"), 1 + 5)
        self.assertEqual(page.elements.count("td"), 5 * 7)


class GitHub(unittest.TestCase):
    """Read as the runner reads: one command a line, properties split at commas, then unescaped."""
    limits = {"error": 10, "warning": 10, "notice": 10}

    def commands(self, sample):
        found = []
        for line in written(sample, "github").splitlines():
            match = re.fullmatch(r"::(error|warning|notice) ((?:[a-zA-Z]+=[^,:]*)(?:,[a-zA-Z]+=[^,:]*)*)::(.*)", line)
            self.assertIsNotNone(match, line)
            properties = dict(pair.split("=", 1) for pair in match[2].split(","))
            for name in properties:
                for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
                    properties[name] = properties[name].replace(code, char)
            message = match[3]
            for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
                message = message.replace(code, char)
            found.append((match[1], properties, message))
        return found

    def test_every_line_is_one_command(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                commands = self.commands(sample)
                for level, limit in self.limits.items():
                    self.assertLessEqual(sum(c[0] == level for c in commands), limit)
                for _, properties, message in commands:
                    self.assertLessEqual(set(properties), {"file", "line", "endLine", "title"})
                    self.assertTrue(message)
                    self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", message))
                level, properties, message = commands[-1]
                self.assertEqual((level, properties["title"]), ("notice", "rowcall"))

    def test_content(self):
        level, properties, message = self.commands("shop")[1]
        self.assertEqual(level, "error")
        self.assertEqual(properties, {"file": "shop/views/orders.py", "line": "12", "endLine": "12", "title": "N+1 in GET /orders"})
        self.assertEqual(message.splitlines()[0],
                         "N+1 in GET /orders: SELECT customers 50x, 50 distinct parameters, median gap 0.3 ms")
        self.assertIn("80% of its SQL time", message)


class GitLab(unittest.TestCase):
    schema = {
        "type": "array",
        "items": {
            "type": "object", "additionalProperties": False,
            "required": ["description", "check_name", "fingerprint", "severity", "location"],
            "properties": {
                "description": {"type": "string", "minLength": 1},
                "check_name": {"type": "string", "pattern": "^[a-z0-9-]+$"},
                "fingerprint": {"type": "string", "pattern": "^(gate-)?[0-9a-f]{16}$"},
                "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
                "location": {
                    "type": "object", "additionalProperties": False, "required": ["path", "lines"],
                    "properties": {
                        "path": {"type": "string", "pattern": "^(?!/|\\./)."},
                        "lines": {"type": "object", "additionalProperties": False, "required": ["begin"],
                                  "properties": {"begin": {"type": "integer", "minimum": 1}}},
                    },
                },
            },
        },
    }

    def test_every_sample_is_valid(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                issues = parsed(written(sample, "gitlab"))
                jsonschema.Draft202012Validator(self.schema).validate(issues)
                prints = [i["fingerprint"] for i in issues]
                self.assertEqual(len(prints), len(set(prints)), "the second of two equals would be dropped")

    def test_no_findings_is_an_empty_array(self):
        self.assertEqual(parsed(written("clean", "gitlab")), [])


class Sarif(unittest.TestCase):
    """Built into the object model of python3-sarif-python-om, which knows every property there is; then what code scanning asks for."""
    kinds = {
        "runs": "Run", "tool": "Tool", "driver": "ToolComponent", "rules": "ReportingDescriptor",
        "shortDescription": "MultiformatMessageString", "fullDescription": "MultiformatMessageString", "help": "MultiformatMessageString",
        "defaultConfiguration": "ReportingConfiguration", "automationDetails": "RunAutomationDetails", "invocations": "Invocation",
        "toolExecutionNotifications": "Notification", "message": "Message", "descriptor": "ReportingDescriptorReference",
        "results": "Result", "locations": "Location", "physicalLocation": "PhysicalLocation", "artifactLocation": "ArtifactLocation",
        "region": "Region", "logicalLocations": "LogicalLocation", "suppressions": "Suppression",
    }

    def build(self, kind, node):
        model = getattr(sarif_om, kind)
        names = {f.metadata.get("schema_property_name", f.name): f.name for f in attr.fields(model)}
        values = {}
        for key, value in node.items():
            self.assertIn(key, names, f"{kind} has no such property")
            self.assertNotEqual(value, "", f"{kind}.{key} is empty")
            if key in self.kinds and isinstance(value, list):
                value = [self.build(self.kinds[key], v) for v in value]
            elif key in self.kinds:
                value = self.build(self.kinds[key], value)
            values[names[key]] = value
        return model(**values)

    def test_every_sample_fits_the_model(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                log = self.build("SarifLog", parsed(written(sample, "sarif")))
                self.assertEqual(log.version, "2.1.0")
                run, = log.runs
                rules = run.tool.driver.rules
                self.assertEqual(len({r.id for r in rules}), len(rules))
                self.assertLessEqual(len(run.results), 25000)
                for rule in rules:
                    self.assertLessEqual(len(rule.full_description.text), 1024)
                    self.assertNotEqual(rule.name.lower(), rule.id)
                for result in run.results:
                    self.assertEqual(rules[result.rule_index].id, result.rule_id)
                    self.assertIn(result.level, ("error", "warning", "note"))
                    place, = result.locations
                    uri = place.physical_location.artifact_location.uri
                    self.assertRegex(uri, r"^(?![/]|\./)(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+$")
                    self.assertGreaterEqual(place.physical_location.region.start_line, 1)
                    self.assertRegex(result.partial_fingerprints["primaryLocationLineHash"], r"^[0-9a-f]{16}:1$")

    def test_content(self):
        run, = parsed(written("shop", "sarif"))["runs"]
        self.assertEqual([r["level"] for r in run["results"]], ["error", "error", "error", "warning", "note"])
        self.assertEqual(run["results"][4]["suppressions"][0]["justification"], "three sections by layout, until 2027-01-01")
        self.assertTrue(run["invocations"][0]["executionSuccessful"])
        run, = parsed(written("nothing", "sarif"))["runs"]
        self.assertFalse(run["invocations"][0]["executionSuccessful"])


class Folded(unittest.TestCase):
    """Read as flamegraph.pl reads: a line is a stack of frames parted by semicolons, a blank and a whole number."""

    def stacks(self, sample):
        found = []
        for line in written(sample, "folded").splitlines():
            stack, count = re.fullmatch(r"(.+) (\d+)", line).groups()
            found.append((stack.split(";"), int(count)))
        return found

    def test_every_sample_is_read(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                for stack, count in self.stacks(sample):
                    self.assertIn(len(stack), range(2, 10))
                    self.assertTrue(all(stack))
                    self.assertGreater(count, 0)

    def test_content(self):
        stacks = self.stacks("shop")
        self.assertEqual([len(stack) for stack, _ in stacks], [2, 2, 2, 3, 2, 2, 2])
        scope, source, child = stacks[3][0]
        self.assertEqual((scope, source[:8], child[:8], stacks[3][1]), ("GET /orders", "q7f3a1c0", "q91bd02c", 123900))


class Speedscope(unittest.TestCase):
    """The part of https://www.speedscope.app/file-format-schema.json that rowcall writes."""
    schema = {
        "type": "object", "required": ["$schema", "profiles", "shared"],
        "properties": {
            "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
            "activeProfileIndex": {"type": "number"}, "exporter": {"type": "string"}, "name": {"type": "string"},
            "shared": {"type": "object", "required": ["frames"], "properties": {"frames": {"type": "array", "items": {
                "type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}},
            "profiles": {"type": "array", "items": {
                "type": "object", "required": ["endValue", "name", "samples", "startValue", "type", "unit", "weights"],
                "properties": {
                    "type": {"const": "sampled"}, "name": {"type": "string"}, "startValue": {"type": "number"},
                    "endValue": {"type": "number"}, "unit": {"enum": ["bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds"]},
                    "samples": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
                    "weights": {"type": "array", "items": {"type": "number"}}}}}}}

    def test_every_sample_is_valid(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                file = parsed(written(sample, "speedscope"))
                jsonschema.Draft7Validator(self.schema).validate(file)
                frames = [frame["name"] for frame in file["shared"]["frames"]]
                for profile in file["profiles"]:
                    self.assertEqual(len(profile["samples"]), len(profile["weights"]))
                    self.assertEqual(sum(profile["weights"]), profile["endValue"])
                    for stack in profile["samples"]:
                        self.assertLess(max(stack), len(frames))

    def test_content(self):
        file = parsed(written("shop", "speedscope"))
        frames = [frame["name"] for frame in file["shared"]["frames"]]
        time, calls = file["profiles"]
        self.assertEqual((time["unit"], calls["unit"]), ("nanoseconds", "none"))
        loops = [[frames[i][:8] for i in stack] for stack in time["samples"] if len(stack) == 3]
        self.assertEqual(loops, [["GET /ord", "q7f3a1c0", "q91bd02c"]])
        self.assertEqual(len(frames), len(set(frames)))


class FlameGraph(unittest.TestCase):
    """Parsed as a browser does; what its script does is seen in tests/live/test_html.py."""
    svg = "{http://www.w3.org/2000/svg}"

    def drawn(self, sample):
        text = written(sample, "flamegraph")
        tree = xml.etree.ElementTree.fromstring(text.encode())
        return text, tree, json.loads(tree.find(self.svg + "metadata").text)

    def test_every_sample_stands_alone(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                text, tree, frames = self.drawn(sample)
                for element in tree.iter():
                    self.assertFalse([name for name in element.attrib if name.endswith(("href", "src"))])
                    self.assertFalse([name for name in element.attrib if name.startswith("on")])
                known = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
                self.assertLessEqual(set(re.findall(r"https?://[^\"<\s]+", re.sub(r"(?s)<metadata.*?</metadata>", "", text))), known)
                for depth, kind, name, whole, calls, ns in frames:
                    self.assertIn(kind, ("scope", "query", "loop", "other"))
                    self.assertGreaterEqual(len(whole), 1)

    def test_content(self):
        _, tree, frames = self.drawn("shop")
        self.assertEqual(len(frames), 10)
        drawn = tree.findall(f".//{self.svg}g")
        self.assertEqual(drawn[0].get("class"), "frame all")
        widths = [float(g.find(self.svg + "rect").get("width")) for g in drawn if g.get("class") == "frame scope"]
        self.assertAlmostEqual(sum(widths), 1200, delta=1)
        loop, = [g for g in drawn if g.get("class") == "frame loop"]
        self.assertTrue(loop.find(self.svg + "title").text.startswith("q91bd02c"))


class Html(unittest.TestCase):
    """The document within the page, as the browser's parser finds it. What the page does with it is seen in tests/live/test_html.py."""

    class Parts(html.parser.HTMLParser):
        def __init__(self, text):
            super().__init__()
            self.elements, self.data, self.document = [], None, ""
            self.feed(text)

        def handle_starttag(self, tag, attrs):
            self.elements.append((tag, dict(attrs)))
            self.data = dict(attrs).get("id")

        def handle_data(self, data):
            if self.data == "document":
                self.document += data
                self.data = None

    def page(self, sample):
        text = written(sample, "html")
        return text, self.Parts(text)

    def test_the_document_is_the_report(self):
        for sample in SAMPLES:
            with self.subTest(sample):
                _, parts = self.page(sample)
                document = parsed(parts.document)
                self.assertEqual(list(document), ["schema", "report", "page", "timelines", "frames"])
                self.assertEqual(document["report"], parsed(written(sample, "json")))
                for lists in ("scopes", "requests", "findings", "shapes"):
                    self.assertEqual(len(document["page"][lists]), len(document["report"][lists]), lists)

    def test_names_never_become_markup(self):
        plain = [tag for tag, _ in self.page("clean")[1].elements]
        for sample in SAMPLES:
            with self.subTest(sample):
                text, parts = self.page(sample)
                self.assertEqual([tag for tag, _ in parts.elements], plain)
                self.assertEqual(text.count("<"), self.page("clean")[0].count("<"), "no less-than sign comes from the data")
                self.assertFalse(re.search("[\u2028\u2029\x00-\x08\x0b-\x1f]", parts.document))

    def test_the_policy_names_what_may_run(self):
        text, _ = self.page("hostile")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
        for kind, element in (("script", re.findall(r"(?s)<script>(.*?)</script>", text)), ("style", re.findall(r"(?s)<style>(.*?)</style>", text))):
            only, = element
            digest = base64.b64encode(hashlib.sha256(only.encode()).digest()).decode()
            self.assertIn(f"{kind}-src 'sha256-{digest}'", policy)


if __name__ == "__main__":
    program = sys.argv.pop(1)
    unittest.main()

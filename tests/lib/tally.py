# SPDX-License-Identifier: Apache-2.0
"""tally.py FILE.xml… : one plain line over all the JUnit files that ctest and pytest wrote: `N passed, N failed, N skipped`.

A cmocka program counts with each of its tests, any other program of ctest as one. Failures and the reasons of skipped tests are listed
first. Ends 1 when something failed, when a file is missing or when nothing ran.
"""
import collections
import re
import sys
import xml.etree.ElementTree as ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def cmocka(output):
    """Counts by outcome from the summary of a cmocka program, empty when it is none."""
    counts = collections.Counter()
    for word, outcome in (("PASSED", PASSED), ("FAILED", FAILED), ("SKIPPED", SKIPPED)):
        for number in re.findall(rf"^\[ +{word} +\] (\d+) test\(s\)", output, re.M):
            counts[outcome] += int(number)
    return counts


def outcome_of(case):
    skipped = case.find("skipped")
    if case.get("status") == "notrun" and not skipped.get("message", "").startswith("SKIP_"):
        return FAILED       # ctest could not start it
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return FAILED
    if skipped is not None or case.get("status") == "disabled":
        return SKIPPED
    return PASSED


def tally(path, counts, notes):
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        outcome, inner = outcome_of(case), cmocka(case.findtext("system-out") or "")
        if outcome == FAILED and not inner[FAILED]:
            inner[FAILED] = 1       # it crashed, or is no cmocka program
        counts.update(inner or {outcome: 1})
        name = case.get("name") if case.get("classname") in (None, case.get("name")) else f"{case.get('classname')}::{case.get('name')}"
        if outcome == FAILED:
            notes.append(f"failed: {name}")
        elif outcome == SKIPPED:
            reason = case.find("skipped")
            notes.append(f"skipped: {name}: {(reason.get('message') if reason is not None else None) or 'no reason given'}")


def main(paths):
    counts, notes = collections.Counter(), []
    for path in paths:
        try:
            tally(path, counts, notes)
        except (OSError, ElementTree.ParseError) as error:
            counts[FAILED] += 1
            notes.append(f"failed: no results in {path}: {error}")
    for note in notes:
        print(note)
    print(f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped")
    return 1 if counts[FAILED] or not counts[PASSED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

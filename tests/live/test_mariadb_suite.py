# SPDX-License-Identifier: Apache-2.0
"""A few tests of Debian's mariadb-test suite, direct and through rowcall: the short form of tests/matrix/mariadb_test."""
import subprocess

import pytest

from rowcall import TOP

SKIPPED = 77


def test_a_few_tests_of_the_suite_have_the_same_verdict():
    done = subprocess.run([TOP / "tests/matrix/mariadb_test", "--short"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)
    if done.returncode == SKIPPED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout

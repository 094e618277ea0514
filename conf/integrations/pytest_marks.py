# SPDX-License-Identifier: Apache-2.0
"""Tells rowcall which pytest test runs, so that reports and budgets name it: {test: "tests/slow/*", max_queries: 400}.

Copy this file beside conftest.py and name it there:

    pytest_plugins = ["pytest_marks"]

Under rowcall run each test is marked by its node id (tests/test_orders.py::test_list), its fixtures included. Elsewhere, and in the
workers of pytest-xdist, whose tests overlap, it does nothing.
"""
import json
import os
import sys
import urllib.request

import pytest

_url = None if "PYTEST_XDIST_WORKER" in os.environ else os.environ.get("ROWCALL_URL")     # set by rowcall run
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    mark(item.nodeid)
    yield
    mark("")


def mark(test):
    global _url
    if not _url:
        return
    body = json.dumps({"test": test}).encode()
    try:
        _open(urllib.request.Request(f"{_url}/api/v1/marks", body, {"Content-Type": "application/json"}), timeout=2).close()
    except OSError as error:
        print(f"rowcall takes no marks, going on without: {error}", file=sys.stderr)
        _url = None

# SPDX-License-Identifier: Apache-2.0
"""Names the request behind every query of a SQLAlchemy engine (1.4 and 2), in a comment that databases ignore.

Copy this file into your project, then once per engine and once per request:

    tag_queries(engine)
    with request("GET /orders"):            # in a middleware, a job runner, a test fixture
        ...

(with Flask and FastAPI: flask.py and fastapi.py beside this file). A query then ends in /*caller='shop.py%3A64',db_framework='sqlalchemy%3A2.0',route='GET%20%2Forders',rowcall_request='6f1c…'*/:
route is the scope that reports and budgets name, rowcall_request tells one request from the next, caller is the app's line nearest
to the query. It follows the sqlcommenter convention, so other tools can read it too, and does nothing else: the app runs the same
without rowcall. A comment that differs each time defeats caches keyed by the whole text (server-side prepared statements): always
fine for tests; where that cost matters, leave rowcall_request out.
"""
import os
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import __version__, event

_tags = ContextVar("tags", default={})


@contextmanager
def request(route, request_id=None):
    before = _tags.set({"route": route, "rowcall_request": request_id or uuid4().hex})
    try:
        yield
    finally:
        _tags.reset(before)


def tag_queries(engine, current=_tags.get):
    """current() gives the tags of the request that runs now; empty: none runs."""
    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def tag(connection, cursor, statement, parameters, context, executemany):
        now = current()
        if not now:
            return statement, parameters
        tags = {"caller": caller(), "db_framework": f"sqlalchemy:{__version__}", **now}
        comment = ",".join(f"{key}='{quote(value, safe='')}'" for key, value in sorted(tags.items()) if value)
        if connection.dialect.paramstyle in ("format", "pyformat"):     # these drivers read % as a placeholder
            comment = comment.replace("%", "%%")
        return f"{statement} /*{comment}*/", parameters


def caller():
    """path:line of the nearest frame in a file below the working directory; None when there is none."""
    frame, home = sys._getframe(2), os.getcwd() + os.sep
    while frame:
        file = os.path.abspath(frame.f_code.co_filename)
        if file.startswith(home) and "site-packages" not in file:
            return f"{file[len(home):]}:{frame.f_lineno}"
        frame = frame.f_back
    return None

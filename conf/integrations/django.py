# SPDX-License-Identifier: Apache-2.0
"""Names the request behind every query of a Django app (2.2 and later), in a comment that databases ignore.

Copy this file beside settings.py and put it first:

    MIDDLEWARE = ["yourproject.django_tags.RequestTags", ...]

A query then ends in /*caller='shop/views.py%3A15',framework='django%3A4.2',route='GET%20%2Forders',rowcall_request='6f1c…'*/:
route is the scope that reports and budgets name, rowcall_request tells one request from the next, caller is the app's line nearest
to the query. It follows the sqlcommenter convention, so other tools can read it too, and does nothing else: the app runs the same
without rowcall. An X-Request-Id header is kept, which ties a report to the app's own logs.
A comment that differs each time defeats caches keyed by the whole text (server-side prepared statements): always fine for tests;
where that cost matters, leave rowcall_request out.
"""
import os
import sys
from contextlib import ExitStack
from urllib.parse import quote
from uuid import uuid4

from django import get_version
from django.db import connections


class RequestTags:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request_id = request.headers.get("X-Request-Id") or uuid4().hex

        def tag(execute, sql, params, many, context):
            tags = {"caller": caller(), "framework": f"django:{get_version()}", "rowcall_request": request_id}
            if request.resolver_match:      # None in the middleware that runs before the URL is resolved
                tags["route"] = f"{request.method} /{request.resolver_match.route}"
            comment = ",".join(f"{key}='{quote(value, safe='')}'" for key, value in sorted(tags.items()) if value)
            if params is not None:          # only then does the driver read % as a placeholder
                comment = comment.replace("%", "%%")
            return execute(f"{sql} /*{comment}*/", params, many, context)

        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(tag))
            return self.get_response(request)


def caller():
    """path:line of the nearest frame in a file below the working directory, up to this middleware; None when there is none."""
    frame, home = sys._getframe(2), os.getcwd() + os.sep
    while frame and frame.f_code is not RequestTags.__call__.__code__:
        file = frame.f_code.co_filename
        if file.startswith(home) and "site-packages" not in file:
            return f"{file[len(home):]}:{frame.f_lineno}"
        frame = frame.f_back
    return None

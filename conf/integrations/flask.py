# SPDX-License-Identifier: Apache-2.0
"""Names the Flask request behind every query of a SQLAlchemy engine, in a comment that databases ignore.

Copy this file and sqlalchemy.py into your project as flask_tags.py and sqlalchemy_tags.py, then once per engine (Flask-SQLAlchemy:
db.engine, inside app.app_context()):

    tag_queries(engine, flask_tags)

route is then the method and the URL rule (GET /orders/<int:id>), rowcall_request tells one request from the next; an X-Request-Id header
is kept. Outside of a request nothing is added; the app runs the same without rowcall.
"""
from uuid import uuid4

from flask import g, has_request_context, request


def flask_tags():
    if not has_request_context():
        return None
    if "rowcall_request" not in g:
        g.rowcall_request = request.headers.get("X-Request-Id") or uuid4().hex
    return {"route": request.url_rule and f"{request.method} {request.url_rule.rule}", "rowcall_request": g.rowcall_request}

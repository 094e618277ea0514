# SPDX-License-Identifier: Apache-2.0
"""Names the FastAPI request behind every query of a SQLAlchemy engine, in a comment that databases ignore.

Copy this file and sqlalchemy.py into your project as fastapi_tags.py and sqlalchemy_tags.py, then:

    app.add_middleware(RequestTags)
    tag_queries(engine, fastapi_tags)       # of an async engine: engine.sync_engine

route is then the method and the path of the route (GET /orders/{id}), rowcall_request tells one request from the next; an X-Request-Id
header is kept. Outside of a request nothing is added; the app runs the same without rowcall.
"""
from contextvars import ContextVar
from uuid import uuid4

_request = ContextVar("request", default=None)


class RequestTags:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        before = _request.set((scope, header(scope, b"x-request-id") or uuid4().hex))
        try:
            await self.app(scope, receive, send)
        finally:
            _request.reset(before)


def header(scope, name):
    return dict(scope.get("headers", ())).get(name, b"").decode("latin-1")


def fastapi_tags():
    if not _request.get():
        return None
    scope, request_id = _request.get()
    route = scope.get("route")      # the router puts it there once it has chosen one
    return {"route": route and f"{scope.get('method', scope['type'])} {route.path}", "rowcall_request": request_id}

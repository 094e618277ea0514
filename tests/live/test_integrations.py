# SPDX-License-Identifier: Apache-2.0
"""The snippets of conf/integrations do no harm: without rowcall, with odd names, with values a stranger chose."""
import re
import subprocess

from rowcall import PYTHON
from servers import clean_environment

HOSTILE = "*/ DROP TABLE shop_line; -- ' \\ % %s é"
ENCODED = "rowcall_request='%2A%2F%20DROP%20TABLE%20shop_line%3B%20--%20%27%20%5C%20%25%20%25s%20%C3%A9'*/"


def comments(log):
    return [re.search(r"/\*.*", statement.sql)[0] for statement in log if "/*" in statement.sql]


def test_django(pg, shop):
    code = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
from django.db import connection
from django.test import Client
answer = Client().get("/customers/1", HTTP_X_REQUEST_ID=sys.argv[1])
assert answer.status_code == 200 and b"<h1>" in answer.content
with connection.cursor() as cursor:
    cursor.execute("SELECT 'outside of any request'")
"""
    with pg.statements(database="shop") as log:
        subprocess.run([PYTHON, "-c", code, HOSTILE], cwd=shop, check=True,
                       env=clean_environment(DATABASE_URL=pg.url(database="shop")))
    assert len(comments(log)) == 3
    assert all(c.startswith("/*caller='shop%2Fviews.py%3A") and c.count("*/") == 1 and c.endswith(ENCODED) for c in comments(log))
    assert all("route='GET%20%2Fcustomers%2F%3Cint%3Apk%3E'," in c for c in comments(log))
    assert "/*" not in log[-1].sql, "outside of a request nothing is added"


def url_of(my):
    return my.url(database="shop", scheme="mysql+pymysql")


def test_sqlalchemy(my, sqlalchemy_shop):
    code = """
import os, sys
from sqlalchemy import create_engine, text
from sqlalchemy_tags import request, tag_queries
engine = create_engine(os.environ["DATABASE_URL"])
tag_queries(engine)
with engine.connect() as connection:
    with request("GET /a%b", sys.argv[1]):
        assert connection.execute(text("SELECT '100%' LIKE :pattern"), {"pattern": "1%"}).scalar() == 1
        assert connection.execute(text("SELECT '100%'")).scalar() == "100%"
    connection.execute(text("SELECT 'outside of any request'"))
"""
    with my.statements(database="shop") as log:
        subprocess.run([PYTHON, "-c", code, HOSTILE], cwd=sqlalchemy_shop, check=True, env=clean_environment(DATABASE_URL=url_of(my)))
    assert len(comments(log)) == 2
    assert all("db_framework='sqlalchemy%3A" in c and c.endswith("route='GET%20%2Fa%25b'," + ENCODED) for c in comments(log))
    assert "/*" not in log[-1].sql, "outside of a request nothing is added"

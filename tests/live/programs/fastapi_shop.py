# SPDX-License-Identifier: Apache-2.0
"""fastapi_shop.py: a FastAPI app on SQLAlchemy at DATABASE_URL, tagged by conf/integrations, that visits its own pages: GET /orders asks once
per row, GET /orders/joined does not. The first runs in the event loop, the others in worker threads."""
import os

from fastapi import FastAPI
from fastapi.testclient import TestClient
from fastapi_tags import RequestTags, fastapi_tags
from sqlalchemy import create_engine, text
from sqlalchemy_tags import tag_queries

engine = create_engine(os.environ["DATABASE_URL"])
tag_queries(engine, fastapi_tags)
app = FastAPI()
app.add_middleware(RequestTags)


@app.get("/orders")
async def orders():
    with engine.connect() as connection:
        name = text("SELECT name FROM customers WHERE id = :id")
        return [{"id": order.id, "name": connection.execute(name, {"id": order.customer_id}).scalar()}
                for order in connection.execute(text("SELECT id, customer_id FROM orders ORDER BY id")).all()]


@app.get("/orders/joined")
def joined():
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id"))
        return [dict(row._mapping) for row in rows]


@app.get("/customers/{number}")
def customer(number: int):
    with engine.connect() as connection:
        return connection.execute(text("SELECT name FROM customers WHERE id = :id"), {"id": number}).scalar()


client = TestClient(app)
shown = client.get("/orders").json()
assert client.get("/orders/joined").json() == client.get("/orders/joined").json() == shown
print(f"{len(shown)} orders, {client.get('/customers/3').json()}")

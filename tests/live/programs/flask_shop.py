# SPDX-License-Identifier: Apache-2.0
"""flask_shop.py: a Flask app on SQLAlchemy at DATABASE_URL, tagged by conf/integrations, that visits its own pages: GET /orders asks once per
row, GET /orders/joined does not."""
import os

from flask import Flask, jsonify
from flask_tags import flask_tags
from sqlalchemy import create_engine, text
from sqlalchemy_tags import tag_queries

engine = create_engine(os.environ["DATABASE_URL"])
tag_queries(engine, flask_tags)
app = Flask(__name__)


@app.get("/orders")
def orders():
    with engine.connect() as connection:
        name = text("SELECT name FROM customers WHERE id = :id")
        return jsonify([{"id": order.id, "name": connection.execute(name, {"id": order.customer_id}).scalar()}
                        for order in connection.execute(text("SELECT id, customer_id FROM orders ORDER BY id")).all()])


@app.get("/orders/joined")
def joined():
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id"))
        return jsonify([dict(row._mapping) for row in rows])


@app.get("/customers/<int:number>")
def customer(number):
    with engine.connect() as connection:
        return connection.execute(text("SELECT name FROM customers WHERE id = :id"), {"id": number}).scalar()


client = app.test_client()
shown = client.get("/orders").get_json()
assert client.get("/orders/joined").get_json() == client.get("/orders/joined").get_json() == shown
print(f"{len(shown)} orders, {client.get('/customers/3').text}")

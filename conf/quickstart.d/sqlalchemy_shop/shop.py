# SPDX-License-Identifier: Apache-2.0
"""The same shop with SQLAlchemy: shop.py fill | browse. DATABASE_URL says where the database is; SHOP_FIXED=1 has the cure."""
import os
import sys
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Column, DateTime, ForeignKey, Integer, Numeric, String, create_engine, select
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload

from sqlalchemy_tags import request, tag_queries

Base = declarative_base()
NAMES = "Ada Alan Barbara Claude Donald Edgar Edsger Frances Grace Jim Ken Leslie Margaret Niklaus Tony".split()
ARTICLES = "anvil bellows chisel drill file gouge hammer jack level mallet".split()
OPENED = datetime(2026, 1, 5, 9)


class Customer(Base):
    __tablename__ = "customers"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)


class Order(Base):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    customer_id = Column(ForeignKey("customers.id"), nullable=False)
    placed = Column(DateTime, nullable=False)
    customer = relationship(Customer)
    lines = relationship("Line")


class Line(Base):
    __tablename__ = "order_lines"
    id = Column(Integer, primary_key=True)
    order_id = Column(ForeignKey("orders.id"), nullable=False)
    article = Column(String(80), nullable=False)
    quantity = Column(Integer, nullable=False)
    price = Column(Numeric(8, 2), nullable=False)


def fill(engine):
    """30 customers, 120 orders, 300 lines: the same rows every time."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Customer(id=n + 1, name=f"{NAMES[n % 15]} {chr(65 + n)}.") for n in range(30))
        session.flush()
        session.add_all(Order(id=n + 1, customer_id=n * 7 % 30 + 1, placed=OPENED + timedelta(hours=5 * n)) for n in range(120))
        session.flush()
        session.add_all(Line(order_id=n + 1, article=ARTICLES[(n + i) % 10], quantity=1 + (n + i) % 4, price=Decimal(5 + (3 * n + i) % 40))
                        for n in range(120) for i in range(1 + n % 4))
        session.commit()


def orders_page(session, page):
    wanted = select(Order).order_by(Order.placed.desc()).limit(20).offset(20 * (page - 1))
    if os.environ.get("SHOP_FIXED") == "1":
        wanted = wanted.options(joinedload(Order.customer), selectinload(Order.lines))
    return [f"{order.placed} {order.customer.name}: " + ", ".join(f"{line.quantity} × {line.article}" for line in order.lines)
            for order in session.scalars(wanted)]


def browse(engine):
    """Four pages of orders, each a request of its own."""
    tag_queries(engine)
    for page in range(2, 6):
        with request("GET /orders"), Session(engine) as session:
            print("GET", f"/orders?page={page}", f"{len(orders_page(session, page))} orders")


{"fill": fill, "browse": browse}[sys.argv[1]](create_engine(os.environ["DATABASE_URL"]))

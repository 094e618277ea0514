# SPDX-License-Identifier: Apache-2.0
"""Creates the shop's tables and the same rows every time: 30 customers, 120 orders, 300 lines."""
import os
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()
from shop.models import Customer, Line, Order  # noqa: E402 (models need a configured Django)

NAMES = "Ada Alan Barbara Claude Donald Edgar Edsger Frances Grace Jim Ken Leslie Margaret Niklaus Tony".split()
ARTICLES = "anvil bellows chisel drill file gouge hammer jack level mallet".split()
OPENED = datetime(2026, 1, 5, 9, tzinfo=timezone.utc)

call_command("migrate", run_syncdb=True, verbosity=0)
customers = Customer.objects.bulk_create(Customer(name=f"{NAMES[n % 15]} {chr(65 + n)}.") for n in range(30))
orders = Order.objects.bulk_create(
    Order(customer=customers[n * 7 % 30], placed=OPENED + timedelta(hours=5 * n)) for n in range(120))
Line.objects.bulk_create(
    Line(order=order, article=ARTICLES[(n + i) % 10], quantity=1 + (n + i) % 4, price=Decimal(5 + (3 * n + i) % 40))
    for n, order in enumerate(orders) for i in range(1 + n % 4))

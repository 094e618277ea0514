# SPDX-License-Identifier: Apache-2.0
"""Visits the shop as a test suite would: four pages of orders and two customers, through Django's test client."""
import os
import sys

import django
from django.test import Client

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

client = Client()
for page in [*(f"/orders?page={n}" for n in range(2, 6)), "/customers/1", "/customers/8"]:
    status = client.get(page).status_code
    print("GET", page, status)
    if status != 200:
        sys.exit(1)

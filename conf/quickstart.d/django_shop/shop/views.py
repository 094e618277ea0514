# SPDX-License-Identifier: Apache-2.0
"""The pages. The list of orders has the classic mistake, and with SHOP_FIXED=1 its classic cure."""
from django.conf import settings
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render

from .models import Customer, Order


def orders(request):
    found = Order.objects.order_by("-placed", "id")
    if settings.SHOP_FIXED:
        found = found.select_related("customer").prefetch_related("lines")
    return render(request, "orders.html", {"page": Paginator(found, 20).get_page(request.GET.get("page"))})


def customer(request, pk):
    found = get_object_or_404(Customer, pk=pk)
    return render(request, "customer.html", {"customer": found, "orders": found.orders.prefetch_related("lines")})

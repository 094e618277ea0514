# SPDX-License-Identifier: Apache-2.0
from django.urls import path

from . import views

urlpatterns = [
    path("orders", views.orders),
    path("customers/<int:pk>", views.customer),
]

# SPDX-License-Identifier: Apache-2.0
"""Settings of the demo shop. DATABASE_URL says where the database is; SHOP_TAGS=0 leaves the request tags out."""
import os
from urllib.parse import parse_qs, unquote, urlsplit

_url = urlsplit(os.environ["DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": unquote(_url.hostname or "") or parse_qs(_url.query).get("host", [""])[0],
        "PORT": _url.port or parse_qs(_url.query).get("port", [""])[0],
        "NAME": unquote(_url.path[1:]),
        "USER": unquote(_url.username or ""),
        "PASSWORD": unquote(_url.password or ""),
    }
}
SHOP_FIXED = os.environ.get("SHOP_FIXED") == "1"

INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["django_tags.RequestTags"] if os.environ.get("SHOP_TAGS", "1") == "1" else []
ROOT_URLCONF = "shop.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "a demo has no secrets"
USE_TZ = True

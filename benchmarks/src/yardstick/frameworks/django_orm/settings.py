"""Django's settings: those of the shop in Django, and a database."""

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def database(url: str) -> dict[str, Any]:
    """Django's way to name the database of a URL, as the shop takes them. Connections stay open: one per thread."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        pragmas = ("journal_mode=WAL", "busy_timeout=5000", "synchronous=NORMAL", "foreign_keys=ON")
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(url.removeprefix("sqlite:///")),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": "".join(f"PRAGMA {pragma};" for pragma in pragmas),
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or parse_qs(parts.query).get("host", [""])[-1],
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
    }


ALLOWED_HOSTS = ["*"]
APPEND_SLASH = False
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite:///shop.db"))}
DATA_UPLOAD_MAX_NUMBER_FIELDS = None
INSTALLED_APPS = ["yardstick.frameworks.django_orm"]
LOGGING_CONFIG = None
MIDDLEWARE = ["shop.web.django_app.middleware.ProblemMiddleware"]
ROOT_URLCONF = "yardstick.frameworks.django_orm.urls"
USE_I18N = False
USE_TZ = True

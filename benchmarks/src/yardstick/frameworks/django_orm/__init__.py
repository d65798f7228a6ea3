"""The catalog in Django as its own users write it (models, forms, views on the ORM), in the shop's Django application.

The rest of the shop is what it is: accounts, carts and orders stay on the shop's use cases, and so do the rules that
HTTP makes for all (sizes, problems, conditions, tokens). Of the shop's catalog nothing is used but its two tables.
"""

import os
from collections.abc import Callable, Iterable

import django

from shop.application import Shop
from shop.web.django_app import create_application as create_shop


def create_application(shop: Shop | None = None) -> Callable[..., Iterable[bytes]]:
    """The WSGI application, one per process. Without a shop one is built from the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yardstick.frameworks.django_orm.settings")
    django.setup(set_prefix=False)
    return create_shop(shop)

"""The shop in Django with the endpoints that isolate the framework: ``create_application``."""

from collections.abc import Callable, Iterable

from django.conf import settings

from shop.application import Shop
from shop.web.django_app import create_application as create_shop


def create_application(shop: Shop | None = None) -> Callable[..., Iterable[bytes]]:
    """The WSGI application, one per process. Without a shop one is built from the environment."""
    application = create_shop(shop)
    settings.ROOT_URLCONF = "yardstick.frameworks.apps.django_urls"
    return application

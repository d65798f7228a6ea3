"""The shop in Django: settings made in code, URLs and class-based views per module. No ORM, no admin."""

import logging
from collections.abc import Callable, Iterable

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from shop.application import Shop, build
from shop.web.access_log import AccessLog, log_wsgi
from shop.web.leftovers import read_leftovers_wsgi
from strangler_kit.reporting import report_wsgi


def create_application(shop: Shop | None = None) -> Callable[..., Iterable[bytes]]:
    """The WSGI application, one per process (Django's settings are global). Without a shop one is built."""
    shop = shop or build()
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],  # the gateway decides which hosts it takes
            APPEND_SLASH=False,
            DATABASES={},
            DATA_UPLOAD_MAX_NUMBER_FIELDS=None,
            INSTALLED_APPS=[],
            LOGGING_CONFIG=None,
            MIDDLEWARE=["shop.web.django_app.middleware.ProblemMiddleware"],
            ROOT_URLCONF="shop.web.django_app.urls",
            USE_I18N=False,
            USE_TZ=True,
        )
        django.setup(set_prefix=False)
        logging.getLogger("django.request").setLevel(logging.ERROR)  # refusals are answers, not incidents
    settings.SHOP = shop
    application = read_leftovers_wsgi(report_wsgi(WSGIHandler(), shop.settings.shadow_key))
    if shop.settings.access_log is not None:
        return log_wsgi(application, AccessLog(shop.settings.access_log))
    return application

"""Django's asynchronous side: the endpoints that isolate the framework, as coroutines under ASGI.

Of the shop there is only its health: what asks the database by SQLAlchemy would wait in a thread here as well.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import markcoroutinefunction
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse

from shop.application import Shop
from shop.kernel.errors import Problem
from shop.web.django_app import create_application as create_shop
from shop.web.django_app.exchange import problem_answer

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponse]]


class Problems:
    """What the shop's middleware does, without leaving the event loop."""

    sync_capable, async_capable = False, True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)  # by which Django knows that it need not be called in a thread

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        response = await self.get_response(request)
        response.headers["Content-Length"] = str(len(response.content))
        return response

    async def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        return problem_answer(error) if isinstance(error, Problem) else None


def create_application(shop: Shop | None = None) -> Callable[..., Awaitable[Any]]:
    """The ASGI application, one per process. Without a shop one is built from the environment."""
    create_shop(shop)
    settings.MIDDLEWARE = ["yardstick.frameworks.apps.django_async.Problems"]
    settings.ROOT_URLCONF = "yardstick.frameworks.apps.django_async_urls"
    application: Callable[..., Awaitable[Any]] = ASGIHandler()
    return application

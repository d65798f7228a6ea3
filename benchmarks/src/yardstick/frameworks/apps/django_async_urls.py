"""The URLs that isolate Django's asynchronous side."""

from functools import cache

import aiohttp
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from shop.web.django_app import urls as shop_urls
from shop.web.django_app.exchange import ApiView
from shop.web.requests import check_body_size, check_body_type, parse_json
from shop.web.requests import validate as judge
from yardstick.frameworks.apps.documents import DOCUMENT, TEXT, Order, add_up
from yardstick.frameworks.apps.downstream import address, for_coroutines


@cache
def downstream() -> aiohttp.ClientSession:
    """The process's client, made in its event loop. It lives as long: Django has no other end to close it at."""
    return for_coroutines()


class Plaintext(ApiView):
    async def get(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(TEXT, content_type="text/plain; charset=utf-8")


class Json(ApiView):
    async def get(self, _request: HttpRequest) -> HttpResponse:
        return JsonResponse(DOCUMENT)


class Validate(ApiView):
    async def post(self, request: HttpRequest) -> HttpResponse:
        check_body_size(len(request.body))
        check_body_type(request.headers)
        return JsonResponse(add_up(judge(Order, parse_json(request.body))).model_dump())


class Slow(ApiView):
    async def get(self, _request: HttpRequest) -> HttpResponse:
        async with downstream().get(address()) as answer:
            return JsonResponse(await answer.json())


urlpatterns = [
    path("", include("shop.web.django_app.health")),
    path("bench/plaintext", Plaintext.as_view()),
    path("bench/json", Json.as_view()),
    path("bench/validate", Validate.as_view()),
    path("bench/slow", Slow.as_view()),
]
handler404, handler400, handler500 = shop_urls.handler404, shop_urls.handler400, shop_urls.handler500

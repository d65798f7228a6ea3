"""All URLs of the shop in Django, and behind them those that isolate the framework."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from shop.web.django_app import urls as shop_urls
from shop.web.django_app.exchange import ApiView, posted
from yardstick.frameworks.apps.documents import DOCUMENT, TEXT, Order, add_up
from yardstick.frameworks.apps.downstream import address, for_threads

downstream = for_threads()


class Plaintext(ApiView):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(TEXT, content_type="text/plain; charset=utf-8")


class Json(ApiView):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return JsonResponse(DOCUMENT)


class Validate(ApiView):
    def post(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse(add_up(posted(request, Order)).model_dump())


class Slow(ApiView):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return JsonResponse(downstream.request("GET", address()).json())


bench_urls = [
    path("bench/plaintext", Plaintext.as_view()),
    path("bench/json", Json.as_view()),
    path("bench/validate", Validate.as_view()),
    path("bench/slow", Slow.as_view()),
]
urlpatterns = [*shop_urls.urlpatterns, *bench_urls]
handler404, handler400, handler500 = shop_urls.handler404, shop_urls.handler400, shop_urls.handler500

"""Health endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop.web.django_app.exchange import ApiView, answer, shop
from shop.web.health import Health, ready


class Livez(ApiView):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return answer(Health())


class Readyz(ApiView):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return answer(ready(shop()))


urlpatterns = [path("livez", Livez.as_view()), path("readyz", Readyz.as_view())]

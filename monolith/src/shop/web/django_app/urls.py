"""All URLs of the shop in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, register_converter

from shop.kernel.errors import InternalError, MalformedJson, UnknownPath
from shop.web.django_app.exchange import problem_answer
from shop.web.requests import ID_PATTERN, SKU_PATTERN


class IdConverter:
    """`<id:product_id>`"""

    regex = ID_PATTERN

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class SkuConverter:
    """`<sku:sku>`"""

    regex = SKU_PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdConverter, "id")
register_converter(SkuConverter, "sku")

urlpatterns = [
    path("", include(f"shop.web.django_app.{module}"))
    for module in ("catalog", "inventory", "customers", "orders", "payments", "notifications", "health")
]


def handler404(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    return problem_answer(UnknownPath())


def handler400(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    return problem_answer(MalformedJson())


def handler500(_request: HttpRequest) -> HttpResponse:
    return problem_answer(InternalError())

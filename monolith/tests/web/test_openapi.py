"""The OpenAPI document describes what the faces serve, and the reference page names all of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver

from shop.application import build
from shop.kernel.settings import Settings
from shop.web.django_app import create_application
from shop.web.fastapi_app import create_app as create_fastapi
from shop.web.fastapi_app.openapi import openapi_document
from shop.web.flask_app import create_app as create_flask

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "shop-api.md"
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(DATABASE_URL=f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'shop.db'}")


@pytest.fixture(scope="module")
def document(settings: Settings) -> dict[str, Any]:
    return openapi_document(create_fastapi(build(settings)))


@pytest.fixture(scope="module")
def described(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}


def plain(path: str) -> str:
    """`<id:product_id>` of Flask and Django as `{product_id}`."""
    return re.sub(r"<\w+:(\w+)>", r"{\1}", path)


def test_flask_serves_what_is_described(settings: Settings, described: set[tuple[str, str]]) -> None:
    app = create_flask(build(settings))
    served = {
        (method, plain(rule.rule)) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD"}
    }
    assert served == described


def test_django_serves_what_is_described(settings: Settings, described: set[tuple[str, str]]) -> None:
    create_application(build(settings))
    from shop.web.django_app.urls import urlpatterns  # noqa: PLC0415 - needs Django's settings

    def leaves(patterns: list[URLPattern | URLResolver]) -> set[tuple[str, str]]:
        found = set()
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                found |= leaves(pattern.url_patterns)
                continue
            view = pattern.callback.view_class
            path = "/" + plain(str(pattern.pattern))
            found |= {(method, path) for method in METHODS if hasattr(view, method.lower())}
        return found

    assert leaves(urlpatterns) == described


def test_the_reference_page_names_every_endpoint(described: set[tuple[str, str]]) -> None:
    """Parameters are called `{id}` there."""
    page = REFERENCE.read_text(encoding="utf-8")
    missing = [
        f"{method} {path}"
        for method, path in sorted(described)
        if f"`{method} {re.sub(r'{(?!sku|product_id}).*?}', '{id}', path)}`" not in page
        and f"`{method} {re.sub(r'{(?!sku).*?}', '{id}', path)}`" not in page
    ]
    assert missing == []


def test_every_operation_has_a_module_and_a_name_of_its_own(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) == 38
    modules = {"catalog", "inventory", "customers", "orders", "payments", "notifications", "health"}
    assert all(len(operation["tags"]) == 1 and operation["tags"][0] in modules for operation in operations)


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'\$ref': '#/components/schemas/([^']+)'", str(document)))
    assert references <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in str(document)

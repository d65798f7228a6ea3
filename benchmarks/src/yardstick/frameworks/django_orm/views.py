"""The catalog's views on Django's own ORM."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse

from shop.kernel.errors import CategoryInUse, Duplicate, FieldError, NotFound, ValidationFailed
from shop.kernel.text import fold
from shop.web.answers import PRIVATE, REVALIDATED, changed, created, tagged
from shop.web.django_app.exchange import ApiView, json_body, nothing, staff
from shop.web.requests import IfMatch, not_modified
from yardstick.frameworks.django_orm import forms
from yardstick.frameworks.django_orm.models import Category, Product, Versioned

COLUMNS = {"name": "name_key", "price": "price_minor"}
"""What is sorted by, where it is not the field of that name."""
V = TypeVar("V", bound=Versioned)


class Products(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = forms.ProductQuery.judged(request.GET)
        found = Product.objects.all()
        if q := wanted.get("q"):
            found = found.filter(search_text__contains=fold(q))
        for name, lookup in (
            ("category_id", "category_id"),
            ("active", "active"),
            ("min_price", "price_minor__gte"),
            ("max_price", "price_minor__lte"),
        ):
            if name in wanted:
                found = found.filter(**{lookup: wanted[name]})
        return _page(found, wanted, product_json)

    def post(self, request: HttpRequest) -> HttpResponse:
        body = json_body(request)
        staff(request)
        given = forms.NewProduct.judged(body)
        price, now = given.pop("price"), datetime.now(UTC)
        product = Product(
            **{"description": "", "active": True, **given},
            price_minor=price["amount"],
            currency=price["currency"],
            created_at=now,
            updated_at=now,
        )
        _require_category(product.category_id)
        taken = Duplicate(f"A product with the SKU '{product.sku}' already exists.")
        if Product.objects.filter(sku=product.sku).exists():
            raise taken
        try:
            with transaction.atomic():
                product.save(force_insert=True)
        except IntegrityError as error:
            _require_category(product.category_id)  # it may have gone since it was looked for
            raise taken from error
        return _json(product_json(product), 201, created(f"/api/products/{product.id}", product.version))


class OneProduct(ApiView):
    def get(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = _get(Product.objects.all(), "product", product_id)
        if not_modified(request.headers, product.version):
            return nothing(304, tagged(product.version))
        return _json(product_json(product), headers=tagged(product.version))

    def patch(self, request: HttpRequest, product_id: int) -> HttpResponse:
        body = json_body(request)
        staff(request)
        values = forms.ProductChange.judged(body)
        if price := values.pop("price", None):
            values |= {"price_minor": price["amount"], "currency": price["currency"]}
        if "category_id" in values:
            _require_category(values["category_id"])
        try:
            with transaction.atomic():
                product = _get(Product.objects.select_for_update(), "product", product_id)
                IfMatch(request.headers)(product.version)
                if product.change(values):
                    product.save()
        except IntegrityError:
            _require_category(values.get("category_id"))
            raise
        return _json(product_json(product), headers=changed(product.version))

    def delete(self, request: HttpRequest, product_id: int) -> HttpResponse:
        staff(request)
        with transaction.atomic():
            product = _get(Product.objects.select_for_update(), "product", product_id)
            IfMatch(request.headers)(product.version)
            product.delete()
        return nothing()


class Categories(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return _page(Category.objects.all(), forms.CategoryQuery.judged(request.GET), category_json)

    def post(self, request: HttpRequest) -> HttpResponse:
        body = json_body(request)
        staff(request)
        now = datetime.now(UTC)
        category = Category(**forms.NewCategory.judged(body), created_at=now, updated_at=now)
        _save_category(category)
        return _json(category_json(category), 201, created(f"/api/categories/{category.id}", category.version))


class OneCategory(ApiView):
    def get(self, request: HttpRequest, category_id: int) -> HttpResponse:
        category = _get(Category.objects.all(), "category", category_id)
        if not_modified(request.headers, category.version):
            return nothing(304, tagged(category.version))
        return _json(category_json(category), headers=tagged(category.version))

    def patch(self, request: HttpRequest, category_id: int) -> HttpResponse:
        body = json_body(request)
        staff(request)
        values = forms.CategoryChange.judged(body)
        with transaction.atomic():
            category = _get(Category.objects.select_for_update(), "category", category_id)
            IfMatch(request.headers)(category.version)
            if category.change(values):
                _save_category(category)
        return _json(category_json(category), headers=changed(category.version))

    def delete(self, request: HttpRequest, category_id: int) -> HttpResponse:
        staff(request)
        try:
            with transaction.atomic():
                category = _get(Category.objects.select_for_update(), "category", category_id)
                IfMatch(request.headers)(category.version)
                category.delete()
        except ProtectedError as error:
            message = f"Category {category_id} still has products."
            raise CategoryInUse(message) from error
        return nothing()


def product_json(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "category_id": product.category_id,
        "price": {
            "amount": f"{product.price_minor // 100}.{product.price_minor % 100:02}",
            "currency": product.currency,
        },
        "active": product.active,
        **_version(product),
    }


def category_json(category: Category) -> dict[str, Any]:
    return {"id": category.id, "name": category.name, "slug": category.slug, **_version(category)}


def _version(record: Versioned) -> dict[str, Any]:
    times = {name: getattr(record, name).astimezone(UTC) for name in ("created_at", "updated_at")}
    return {"version": record.version, **{name: f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for name, at in times.items()}}


def _json(document: dict[str, Any], status: int = 200, headers: dict[str, str] = PRIVATE) -> HttpResponse:
    compact = {"ensure_ascii": False, "separators": (",", ":")}
    return JsonResponse(document, status=status, headers=headers, json_dumps_params=compact)


def _page(found: QuerySet[V], wanted: dict[str, Any], shown: Any) -> HttpResponse:
    page, size, sort = wanted.get("page", 1), wanted.get("page_size", 20), wanted.get("sort", "id")
    name = sort.removeprefix("-")
    order = sort.replace(name, COLUMNS.get(name, name))
    total, start = found.count(), (page - 1) * size
    items = [shown(one) for one in found.order_by(order, "id")[start : start + size]] if start < total else []
    return _json({"items": items, "total": total, "page": page, "page_size": size}, headers=REVALIDATED)


def _get(records: QuerySet[V], noun: str, key: int) -> V:
    try:
        return records.get(pk=key)
    except records.model.DoesNotExist:
        message = f"There is no {noun} {key}."
        raise NotFound(message) from None


def _require_category(category_id: int | None) -> None:
    if category_id is not None and not Category.objects.filter(pk=category_id).exists():
        raise ValidationFailed(FieldError("category_id", f"There is no category {category_id}."))


def _save_category(category: Category) -> None:
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError as error:
        message = f"A category with the slug '{category.slug}' already exists."
        raise Duplicate(message) from error

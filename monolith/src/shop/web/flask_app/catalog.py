"""Catalog endpoints in Flask."""

from flask import Blueprint, Response, request

from shop.kernel.wire import PageAnswer
from shop.modules.catalog.public import (
    CategoryAnswer,
    CategoryChange,
    CategoryQuery,
    NewCategory,
    NewProduct,
    ProductAnswer,
    ProductChange,
    ProductQuery,
)
from shop.web.answers import REVALIDATED, changed, created, tagged
from shop.web.flask_app.exchange import answer, nothing, query, shop, staff, submitted
from shop.web.requests import IfMatch, not_modified

routes = Blueprint("catalog", __name__, url_prefix="/api")


@routes.get("/products")
def list_products() -> Response:
    page = shop().catalog.list_products(query(ProductQuery))
    return answer(PageAnswer[ProductAnswer].of(page), headers=REVALIDATED)


@routes.post("/products")
def create_product() -> Response:
    _, new = submitted(NewProduct, by=staff)
    product = shop().catalog.create_product(new)
    return answer(ProductAnswer.of(product), 201, created(f"/api/products/{product.id}", product.version))


@routes.get("/products/<id:product_id>")
def get_product(product_id: int) -> Response:
    product = shop().catalog.get_product(product_id)
    if not_modified(request.headers, product.version):
        return nothing(304, tagged(product.version))
    return answer(ProductAnswer.of(product), headers=tagged(product.version))


@routes.patch("/products/<id:product_id>")
def change_product(product_id: int) -> Response:
    _, change = submitted(ProductChange, by=staff)
    product = shop().catalog.change_product(product_id, change, IfMatch(request.headers))
    return answer(ProductAnswer.of(product), headers=changed(product.version))


@routes.delete("/products/<id:product_id>")
def delete_product(product_id: int) -> Response:
    staff()
    shop().catalog.delete_product(product_id, IfMatch(request.headers))
    return nothing()


@routes.get("/categories")
def list_categories() -> Response:
    page = shop().catalog.list_categories(query(CategoryQuery))
    return answer(PageAnswer[CategoryAnswer].of(page), headers=REVALIDATED)


@routes.post("/categories")
def create_category() -> Response:
    _, new = submitted(NewCategory, by=staff)
    category = shop().catalog.create_category(new)
    return answer(CategoryAnswer.of(category), 201, created(f"/api/categories/{category.id}", category.version))


@routes.get("/categories/<id:category_id>")
def get_category(category_id: int) -> Response:
    category = shop().catalog.get_category(category_id)
    if not_modified(request.headers, category.version):
        return nothing(304, tagged(category.version))
    return answer(CategoryAnswer.of(category), headers=tagged(category.version))


@routes.patch("/categories/<id:category_id>")
def change_category(category_id: int) -> Response:
    _, change = submitted(CategoryChange, by=staff)
    category = shop().catalog.change_category(category_id, change, IfMatch(request.headers))
    return answer(CategoryAnswer.of(category), headers=changed(category.version))


@routes.delete("/categories/<id:category_id>")
def delete_category(category_id: int) -> Response:
    staff()
    shop().catalog.delete_category(category_id, IfMatch(request.headers))
    return nothing()

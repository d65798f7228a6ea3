"""Catalog endpoints in FastAPI."""

from typing import Annotated

from fastapi import Query, Request, Response

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
from shop.web.fastapi_app.exchange import NOT_MODIFIED, Staff, TheShop, module_router, nothing, problems
from shop.web.requests import IfMatch, not_modified

router = module_router("catalog")
REFUSALS = problems(400, 401, 403, 413, 415, 422)


@router.get("/products", responses=problems(422))
def list_products(
    wanted: Annotated[ProductQuery, Query()], response: Response, shop: TheShop
) -> PageAnswer[ProductAnswer]:
    response.headers.update(REVALIDATED)
    return PageAnswer[ProductAnswer].of(shop.catalog.list_products(wanted))


@router.post("/products", status_code=201, responses=REFUSALS | problems(409))
def create_product(new: NewProduct, response: Response, shop: TheShop, _: Staff) -> ProductAnswer:
    product = shop.catalog.create_product(new)
    response.headers.update(created(f"/api/products/{product.id}", product.version))
    return ProductAnswer.of(product)


@router.get("/products/{product_id:id}", response_model=ProductAnswer, responses=NOT_MODIFIED | problems(404))
def get_product(product_id: int, request: Request, response: Response, shop: TheShop) -> ProductAnswer | Response:
    product = shop.catalog.get_product(product_id)
    if not_modified(request.headers, product.version):
        return nothing(304, tagged(product.version))
    response.headers.update(tagged(product.version))
    return ProductAnswer.of(product)


@router.patch("/products/{product_id:id}", responses=REFUSALS | problems(404, 412))
def change_product(
    product_id: int, change: ProductChange, request: Request, response: Response, shop: TheShop, _: Staff
) -> ProductAnswer:
    product = shop.catalog.change_product(product_id, change, IfMatch(request.headers))
    response.headers.update(changed(product.version))
    return ProductAnswer.of(product)


@router.delete("/products/{product_id:id}", status_code=204, responses=problems(401, 403, 404, 412))
def delete_product(product_id: int, request: Request, shop: TheShop, _: Staff) -> Response:
    shop.catalog.delete_product(product_id, IfMatch(request.headers))
    return nothing()


@router.get("/categories", responses=problems(422))
def list_categories(
    wanted: Annotated[CategoryQuery, Query()], response: Response, shop: TheShop
) -> PageAnswer[CategoryAnswer]:
    response.headers.update(REVALIDATED)
    return PageAnswer[CategoryAnswer].of(shop.catalog.list_categories(wanted))


@router.post("/categories", status_code=201, responses=REFUSALS | problems(409))
def create_category(new: NewCategory, response: Response, shop: TheShop, _: Staff) -> CategoryAnswer:
    category = shop.catalog.create_category(new)
    response.headers.update(created(f"/api/categories/{category.id}", category.version))
    return CategoryAnswer.of(category)


@router.get("/categories/{category_id:id}", response_model=CategoryAnswer, responses=NOT_MODIFIED | problems(404))
def get_category(category_id: int, request: Request, response: Response, shop: TheShop) -> CategoryAnswer | Response:
    category = shop.catalog.get_category(category_id)
    if not_modified(request.headers, category.version):
        return nothing(304, tagged(category.version))
    response.headers.update(tagged(category.version))
    return CategoryAnswer.of(category)


@router.patch("/categories/{category_id:id}", responses=REFUSALS | problems(404, 409, 412))
def change_category(
    category_id: int, change: CategoryChange, request: Request, response: Response, shop: TheShop, _: Staff
) -> CategoryAnswer:
    category = shop.catalog.change_category(category_id, change, IfMatch(request.headers))
    response.headers.update(changed(category.version))
    return CategoryAnswer.of(category)


@router.delete("/categories/{category_id:id}", status_code=204, responses=problems(401, 403, 404, 409, 412))
def delete_category(category_id: int, request: Request, shop: TheShop, _: Staff) -> Response:
    shop.catalog.delete_category(category_id, IfMatch(request.headers))
    return nothing()

"""The HTTP face: what each path takes, and in which order a request is judged (body, caller, query, fields, state)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from catalog_service.service import Catalog
from catalog_service.wire import (
    Category,
    CategoryChanges,
    CategoryPage,
    CategoryQuery,
    NewCategory,
    NewProduct,
    Product,
    ProductChanges,
    ProductPage,
    ProductQuery,
)
from chassis.bodies import json_body, read_json, validated
from chassis.callers import Caller, Callers
from chassis.conditional import etag, not_modified
from chassis.paths import register_convertors

register_convertors()
router = APIRouter(prefix="/api", tags=["catalog"])

_READ = {"Cache-Control": "no-cache"}
_WRITTEN = {"Cache-Control": "no-store"}


async def _document(request: Request) -> Any:
    return await read_json(request, request.app.state.max_body_bytes)


async def _staff(request: Request) -> Caller:
    callers: Callers = request.app.state.callers
    return await callers.having("staff", request)


async def _catalog(request: Request) -> Catalog:  # a plain function would cost a change of threads per request
    catalog: Catalog = request.app.state.catalog
    return catalog


_STAFF = [Depends(_staff)]
# FastAPI resolves a route's dependencies in this order: a body that cannot be read is told before a missing token.
_STAFF_WITH_BODY = [Depends(_document), *_STAFF]
Document = Annotated[Any, Depends(_document)]
TheCatalog = Annotated[Catalog, Depends(_catalog)]


def _answer(model: BaseModel, status: int, headers: dict[str, str]) -> Response:
    return Response(model.model_dump_json(), status, headers, "application/json")


def _versioned(request: Request, model: Product | Category) -> Response:
    """Answer one product or category, or 304 if the client has this version."""
    headers = {**_READ, "ETag": etag(model.version)}
    if not_modified(request.headers, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _answer(model, 200, headers)


def _changed(model: Product | Category) -> Response:
    return _answer(model, 200, {**_WRITTEN, "ETag": etag(model.version)})


def _created(model: Product | Category, collection: str) -> Response:
    location = f"/api/{collection}/{model.id}"
    return _answer(model, 201, {**_WRITTEN, "ETag": etag(model.version), "Location": location})


def _gone() -> Response:
    return Response(status_code=204, headers=_WRITTEN)


@router.get("/products", response_model=ProductPage)
async def find_products(request: Request, catalog: TheCatalog) -> Response:
    query = validated(ProductQuery, dict(request.query_params))
    return _answer(await catalog.find_products(query), 200, _READ)


@router.post(
    "/products",
    status_code=201,
    response_model=Product,
    dependencies=_STAFF_WITH_BODY,
    openapi_extra=json_body(NewProduct),
)
async def create_product(document: Document, catalog: TheCatalog) -> Response:
    return _created(await catalog.create_product(validated(NewProduct, document)), "products")


@router.get("/products/{product_id:id}", response_model=Product)
async def get_product(product_id: int, request: Request, catalog: TheCatalog) -> Response:
    return _versioned(request, await catalog.product(product_id))


@router.patch(
    "/products/{product_id:id}",
    response_model=Product,
    dependencies=_STAFF_WITH_BODY,
    openapi_extra=json_body(ProductChanges),
)
async def change_product(product_id: int, document: Document, request: Request, catalog: TheCatalog) -> Response:
    changes = validated(ProductChanges, document)
    return _changed(await catalog.change_product(product_id, changes, request.headers))


@router.delete("/products/{product_id:id}", status_code=204, dependencies=_STAFF)
async def delete_product(product_id: int, request: Request, catalog: TheCatalog) -> Response:
    await catalog.delete_product(product_id, request.headers)
    return _gone()


@router.get("/categories", response_model=CategoryPage)
async def find_categories(request: Request, catalog: TheCatalog) -> Response:
    query = validated(CategoryQuery, dict(request.query_params))
    return _answer(await catalog.find_categories(query), 200, _READ)


@router.post(
    "/categories",
    status_code=201,
    response_model=Category,
    dependencies=_STAFF_WITH_BODY,
    openapi_extra=json_body(NewCategory),
)
async def create_category(document: Document, catalog: TheCatalog) -> Response:
    return _created(await catalog.create_category(validated(NewCategory, document)), "categories")


@router.get("/categories/{category_id:id}", response_model=Category)
async def get_category(category_id: int, request: Request, catalog: TheCatalog) -> Response:
    return _versioned(request, await catalog.category(category_id))


@router.patch(
    "/categories/{category_id:id}",
    response_model=Category,
    dependencies=_STAFF_WITH_BODY,
    openapi_extra=json_body(CategoryChanges),
)
async def change_category(category_id: int, document: Document, request: Request, catalog: TheCatalog) -> Response:
    changes = validated(CategoryChanges, document)
    return _changed(await catalog.change_category(category_id, changes, request.headers))


@router.delete("/categories/{category_id:id}", status_code=204, dependencies=_STAFF)
async def delete_category(category_id: int, request: Request, catalog: TheCatalog) -> Response:
    await catalog.delete_category(category_id, request.headers)
    return _gone()

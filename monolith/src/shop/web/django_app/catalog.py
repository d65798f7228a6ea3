"""Catalog endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

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
from shop.web.django_app.exchange import ApiView, answer, nothing, query, shop, staff, submitted
from shop.web.requests import IfMatch, not_modified


class Products(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        page = shop().catalog.list_products(query(request, ProductQuery))
        return answer(PageAnswer[ProductAnswer].of(page), headers=REVALIDATED)

    def post(self, request: HttpRequest) -> HttpResponse:
        _, new = submitted(request, NewProduct, by=staff)
        product = shop().catalog.create_product(new)
        return answer(ProductAnswer.of(product), 201, created(f"/api/products/{product.id}", product.version))


class Product(ApiView):
    def get(self, request: HttpRequest, product_id: int) -> HttpResponse:
        product = shop().catalog.get_product(product_id)
        if not_modified(request.headers, product.version):
            return nothing(304, tagged(product.version))
        return answer(ProductAnswer.of(product), headers=tagged(product.version))

    def patch(self, request: HttpRequest, product_id: int) -> HttpResponse:
        _, change = submitted(request, ProductChange, by=staff)
        product = shop().catalog.change_product(product_id, change, IfMatch(request.headers))
        return answer(ProductAnswer.of(product), headers=changed(product.version))

    def delete(self, request: HttpRequest, product_id: int) -> HttpResponse:
        staff(request)
        shop().catalog.delete_product(product_id, IfMatch(request.headers))
        return nothing()


class Categories(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        page = shop().catalog.list_categories(query(request, CategoryQuery))
        return answer(PageAnswer[CategoryAnswer].of(page), headers=REVALIDATED)

    def post(self, request: HttpRequest) -> HttpResponse:
        _, new = submitted(request, NewCategory, by=staff)
        category = shop().catalog.create_category(new)
        return answer(CategoryAnswer.of(category), 201, created(f"/api/categories/{category.id}", category.version))


class Category(ApiView):
    def get(self, request: HttpRequest, category_id: int) -> HttpResponse:
        category = shop().catalog.get_category(category_id)
        if not_modified(request.headers, category.version):
            return nothing(304, tagged(category.version))
        return answer(CategoryAnswer.of(category), headers=tagged(category.version))

    def patch(self, request: HttpRequest, category_id: int) -> HttpResponse:
        _, change = submitted(request, CategoryChange, by=staff)
        category = shop().catalog.change_category(category_id, change, IfMatch(request.headers))
        return answer(CategoryAnswer.of(category), headers=changed(category.version))

    def delete(self, request: HttpRequest, category_id: int) -> HttpResponse:
        staff(request)
        shop().catalog.delete_category(category_id, IfMatch(request.headers))
        return nothing()


urlpatterns = [
    path("api/products", Products.as_view()),
    path("api/products/<id:product_id>", Product.as_view()),
    path("api/categories", Categories.as_view()),
    path("api/categories/<id:category_id>", Category.as_view()),
]

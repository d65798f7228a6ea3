"""The shop's URLs in Django, of which the catalog's lead to views on Django's own ORM."""

from django.urls import include, path

from shop.web.django_app import urls as shop_urls
from yardstick.frameworks.apps.django_urls import bench_urls
from yardstick.frameworks.django_orm.views import Categories, OneCategory, OneProduct, Products

urlpatterns = [
    path("api/products", Products.as_view()),
    path("api/products/<id:product_id>", OneProduct.as_view()),
    path("api/categories", Categories.as_view()),
    path("api/categories/<id:category_id>", OneCategory.as_view()),
    *(
        path("", include(f"shop.web.django_app.{module}"))
        for module in ("inventory", "customers", "orders", "payments", "notifications", "health")
    ),
    *bench_urls,
]
handler404, handler400, handler500 = shop_urls.handler404, shop_urls.handler400, shop_urls.handler500

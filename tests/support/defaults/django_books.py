"""Books, as a Django project in one file: a model, a form, class-based views, ``JsonResponse``.

Run: ``BOOKS_DATABASE=FILE gunicorn support.defaults.django_books:app``. The settings are those of ``startproject`` as
far as an API has any use for them.
"""

import csv
import json
import os
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["BOOKS_DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests",
    USE_TZ=True,
)
django.setup()

from django import forms  # noqa: E402  # Django wants its settings first
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.shortcuts import get_object_or_404  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402


class Book(models.Model):
    title = models.CharField(max_length=200)
    subtitle = models.CharField(max_length=200, null=True, blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    rating = models.FloatField(default=0)
    published = models.DateField()
    added_at = models.DateTimeField(default=timezone.now)
    code = models.UUIDField(default=uuid.uuid4)

    class Meta:
        app_label = "books"
        ordering = ("id",)


class BookForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ("title", "subtitle", "price", "rating", "published")


def as_dict(book: Book) -> dict[str, Any]:
    return {
        "id": book.id,
        "title": book.title,
        "subtitle": book.subtitle,
        "price": book.price,
        "rating": book.rating,
        "published": book.published,
        "added_at": book.added_at,
        "code": book.code,
    }


def form_of(request: HttpRequest, book: Book | None = None) -> BookForm:
    return BookForm(json.loads(request.body), instance=book)


@method_decorator(csrf_exempt, name="dispatch")
class BookListView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        found = Book.objects.all()
        if request.GET.get("sort") == "-rating":
            found = found.order_by("-rating")
        return JsonResponse({"count": found.count(), "results": [as_dict(book) for book in found]})

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            form = form_of(request)
        except ValueError:
            return JsonResponse({"error": "The body is not JSON."}, status=400)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=400)
        return JsonResponse(as_dict(form.save()), status=201)


@method_decorator(csrf_exempt, name="dispatch")
class BookView(View):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return JsonResponse(as_dict(get_object_or_404(Book, pk=pk)))

    def put(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            form = form_of(request, get_object_or_404(Book, pk=pk))
        except ValueError:
            return JsonResponse({"error": "The body is not JSON."}, status=400)
        if not form.is_valid():
            return JsonResponse({"errors": form.errors}, status=400)
        return JsonResponse(as_dict(form.save()))

    def delete(self, request: HttpRequest, pk: int) -> HttpResponse:
        get_object_or_404(Book, pk=pk).delete()
        return HttpResponse(status=204)


class SummaryView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        found = Book.objects.all()
        total = sum(book.price for book in found)
        return JsonResponse({"count": len(found), "total": total, "newest": found.latest("added_at").added_at})


class ExportView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(content_type="text/csv")
        writer = csv.writer(response)
        writer.writerow(["id", "title", "price"])
        writer.writerows(Book.objects.values_list("id", "title", "price"))
        return response


class VisitView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        response = JsonResponse({"welcome": True})
        response.set_cookie("visitor", str(uuid.uuid4()))
        return response


urlpatterns = [
    path("books/", BookListView.as_view()),
    path("books/summary/", SummaryView.as_view()),
    path("books/export.csv", ExportView.as_view()),
    path("books/<int:pk>/", BookView.as_view()),
    path("visit/", VisitView.as_view()),
]


def fill() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Book)
    for title, subtitle, price, rating, published, added_at in (
        ("The Trial", None, "12.90", 4.5, date(1925, 4, 26), datetime(2024, 5, 1, 12, 0, tzinfo=UTC)),
        ("Ulysses", None, "24.00", 3.5, date(1922, 2, 2), datetime(2024, 5, 2, 8, 30, 15, 250_000, tzinfo=UTC)),
        (
            "Middlemarch",
            "A Study of Provincial Life",
            "15.50",
            4.5,
            date(1871, 12, 1),
            datetime(2024, 5, 3, 9, 15, tzinfo=UTC),
        ),
        ("Kürzere Fassung", None, "7.00", 4.0, date(1999, 1, 1), datetime(2024, 5, 4, 23, 59, 59, tzinfo=UTC)),
        ("Bleak House", None, "9.90", 4.0, date(1853, 9, 1), datetime(2024, 5, 5, tzinfo=UTC)),
    ):
        Book.objects.create(
            title=title,
            subtitle=subtitle,
            price=Decimal(price),
            rating=rating,
            published=published,
            added_at=added_at,
        )


fill()
app = get_wsgi_application()

"""Books, as a Flask application: dataclasses, ``jsonify``, ``abort``.

Run: ``flask --app support.defaults.flask_books run``.
"""

import csv
import io
import itertools
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from flask import Flask, Response, abort, jsonify, make_response, request
from flask.typing import ResponseReturnValue

app = Flask(__name__)
numbers = itertools.count(1)


@dataclass
class Book:
    title: str
    price: Decimal
    rating: float
    published: date
    added_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    subtitle: str | None = None
    code: uuid.UUID = field(default_factory=uuid.uuid4)
    id: int = field(default_factory=lambda: next(numbers))


books: dict[int, Book] = {}


def add(book: Book) -> Book:
    books[book.id] = book
    return book


add(Book("The Trial", Decimal("12.90"), 4.5, date(1925, 4, 26), datetime(2024, 5, 1, 12, 0, tzinfo=UTC)))
add(Book("Ulysses", Decimal("24.00"), 3.5, date(1922, 2, 2), datetime(2024, 5, 2, 8, 30, 15, 250_000, tzinfo=UTC)))
add(
    Book(
        "Middlemarch",
        Decimal("15.50"),
        4.5,
        date(1871, 12, 1),
        datetime(2024, 5, 3, 9, 15, tzinfo=UTC),
        "A Study of Provincial Life",
    )
)
add(Book("Kürzere Fassung", Decimal("7.00"), 4.0, date(1999, 1, 1), datetime(2024, 5, 4, 23, 59, 59, tzinfo=UTC)))
add(Book("Bleak House", Decimal("9.90"), 4.0, date(1853, 9, 1), datetime(2024, 5, 5, tzinfo=UTC)))


def errors_in(data: dict[str, object]) -> dict[str, str]:
    errors = {}
    if not data.get("title"):
        errors["title"] = "is required"
    try:
        if Decimal(str(data.get("price"))) < 0:
            errors["price"] = "must not be negative"
    except InvalidOperation:
        errors["price"] = "must be a number"
    try:
        date.fromisoformat(str(data.get("published")))
    except ValueError:
        errors["published"] = "must be a date"
    return errors


@app.get("/books/")
def list_books() -> ResponseReturnValue:
    found = list(books.values())
    if request.args.get("sort") == "-rating":
        found.sort(key=lambda book: (-book.rating, book.title))
    return jsonify(count=len(found), results=[asdict(book) for book in found])


@app.post("/books/")
def create_book() -> ResponseReturnValue:
    data = request.get_json()
    if errors := errors_in(data):
        return jsonify(errors=errors), 400
    book = Book(
        data["title"],
        Decimal(str(data["price"])),
        float(data.get("rating", 0)),
        date.fromisoformat(data["published"]),
        subtitle=data.get("subtitle"),
    )
    return jsonify(asdict(add(book))), 201


@app.get("/books/<int:number>/")
def get_book(number: int) -> ResponseReturnValue:
    if number not in books:
        abort(404)
    return jsonify(asdict(books[number]))


@app.put("/books/<int:number>/")
def update_book(number: int) -> ResponseReturnValue:
    if number not in books:
        abort(404)
    data = request.get_json()
    if errors := errors_in(data):
        return jsonify(errors=errors), 400
    book = books[number]
    book.title = data["title"]
    book.price = Decimal(str(data["price"]))
    book.rating = float(data.get("rating", 0))
    book.published = date.fromisoformat(data["published"])
    book.subtitle = data.get("subtitle")
    return jsonify(asdict(book))


@app.delete("/books/<int:number>/")
def delete_book(number: int) -> ResponseReturnValue:
    if books.pop(number, None) is None:
        abort(404)
    return "", 204


@app.get("/books/summary/")
def summary() -> ResponseReturnValue:
    return {
        "count": len(books),
        "total": sum(book.price for book in books.values()),
        "newest": max(book.added_at for book in books.values()),
    }


@app.get("/books/export.csv")
def export() -> ResponseReturnValue:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "title", "price"])
    writer.writerows([book.id, book.title, book.price] for book in books.values())
    return Response(out.getvalue(), mimetype="text/csv")


@app.get("/visit/")
def visit() -> ResponseReturnValue:
    response = make_response(jsonify(welcome=True))
    response.set_cookie("visitor", str(uuid.uuid4()))
    return response

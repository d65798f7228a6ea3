"""Books, as a FastAPI application: Pydantic models in and out. Run: ``uvicorn support.defaults.fastapi_books:app``."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field

app = FastAPI()


class BookIn(BaseModel):
    title: str = Field(min_length=1)
    subtitle: str | None = None
    price: Decimal = Field(ge=0)
    rating: float = 0
    published: date


class Book(BookIn):
    id: int
    code: UUID = Field(default_factory=uuid4)
    added_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class BookList(BaseModel):
    count: int
    results: list[Book]


books = {
    book.id: book
    for book in (
        Book(
            id=5,
            title="Bleak House",
            price=Decimal("9.90"),
            rating=4.0,
            published=date(1853, 9, 1),
            added_at=datetime(2024, 5, 5, tzinfo=UTC),
        ),
        Book(
            id=4,
            title="Kürzere Fassung",
            price=Decimal("7.00"),
            rating=4.0,
            published=date(1999, 1, 1),
            added_at=datetime(2024, 5, 4, 23, 59, 59, tzinfo=UTC),
        ),
        Book(
            id=3,
            title="Middlemarch",
            subtitle="A Study of Provincial Life",
            price=Decimal("15.50"),
            rating=4.5,
            published=date(1871, 12, 1),
            added_at=datetime(2024, 5, 3, 9, 15, tzinfo=UTC),
        ),
        Book(
            id=2,
            title="Ulysses",
            price=Decimal("24.00"),
            rating=3.5,
            published=date(1922, 2, 2),
            added_at=datetime(2024, 5, 2, 8, 30, 15, 250_000, tzinfo=UTC),
        ),
        Book(
            id=1,
            title="The Trial",
            price=Decimal("12.90"),
            rating=4.5,
            published=date(1925, 4, 26),
            added_at=datetime(2024, 5, 1, 12, 0, tzinfo=UTC),
        ),
    )
}


def found(book_id: int) -> Book:
    if book_id not in books:
        raise HTTPException(status_code=404, detail="Book not found")
    return books[book_id]


@app.get("/books/", response_model_exclude_none=True)
async def list_books(sort: str = "id") -> BookList:
    if sort == "-rating":
        results = sorted(books.values(), key=lambda book: book.rating, reverse=True)
    else:
        results = sorted(books.values(), key=lambda book: book.id)
    return BookList(count=len(results), results=results)


@app.post("/books/", status_code=201, response_model_exclude_none=True)
async def create_book(book: BookIn) -> Book:
    created = Book(id=max(books) + 1, **book.model_dump())
    books[created.id] = created
    return created


@app.get("/books/summary/")
async def summary():  # without a type FastAPI encodes by its own rules, not by Pydantic's
    return {
        "count": len(books),
        "total": sum(book.price for book in books.values()),
        "newest": max(book.added_at for book in books.values()),
    }


@app.get("/books/export.csv")
async def export() -> Response:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "title", "price"])
    writer.writerows([book.id, book.title, book.price] for _, book in sorted(books.items()))
    return Response(out.getvalue(), media_type="text/csv")


@app.get("/books/{book_id}/", response_model_exclude_none=True)
async def get_book(book_id: int) -> Book:
    return found(book_id)


@app.put("/books/{book_id}/", response_model_exclude_none=True)
async def update_book(book_id: int, changed: BookIn) -> Book:
    books[book_id] = found(book_id).model_copy(update=changed.model_dump())
    return books[book_id]


@app.delete("/books/{book_id}/", status_code=204)
async def delete_book(book_id: int) -> None:
    del books[found(book_id).id]


@app.get("/visit/")
async def visit(response: Response) -> dict[str, bool]:
    response.set_cookie("visitor", str(uuid4()))
    return {"welcome": True}

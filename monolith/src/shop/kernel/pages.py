"""Pages of a list: what was asked for, what came of it, and how a query is cut into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page, counted from 1, of how many items."""

    page: int = 1
    page_size: int = 20


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, and how long the whole list is."""

    items: Sequence[T]
    total: int
    page: int
    page_size: int


def fetch_page(session: Session, query: Select[Any], order: Sequence[Any], request: PageRequest) -> Page[Any]:
    """Run `query` for one page. `order` must end in a unique column, or pages would overlap among ties."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    offset = (request.page - 1) * request.page_size
    items = (
        session.scalars(query.order_by(*order).offset(offset).limit(request.page_size)).all() if offset < total else []
    )
    return Page(items, total, request.page, request.page_size)

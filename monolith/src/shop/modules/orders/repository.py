"""All queries of the orders module."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from shop.kernel.database import insert_or
from shop.kernel.pages import Page, fetch_page
from shop.modules.orders.models import CartItem, Order
from shop.modules.orders.schemas import OrderQuery


def cart_items(session: Session, customer_id: int, *, lock: bool = False) -> Sequence[CartItem]:
    """The cart, by product id. Locked, it cannot be checked out twice at once."""
    query = select(CartItem).where(CartItem.customer_id == customer_id).order_by(CartItem.product_id)
    return session.scalars(query.with_for_update() if lock else query).all()


def other_cart_items(session: Session, customer_id: int, product_id: int) -> int:
    others = select(func.count()).where(CartItem.customer_id == customer_id, CartItem.product_id != product_id)
    return session.scalar(others) or 0


def put_cart_item(session: Session, customer_id: int, product_id: int, quantity: int) -> None:
    put = insert_or(session, CartItem).values(customer_id=customer_id, product_id=product_id, quantity=quantity)
    session.execute(
        put.on_conflict_do_update(index_elements=["customer_id", "product_id"], set_={"quantity": quantity})
    )


def remove_cart_item(session: Session, customer_id: int, product_id: int) -> bool:
    gone = delete(CartItem).where(CartItem.customer_id == customer_id, CartItem.product_id == product_id)
    return session.execute(gone).rowcount == 1


def empty_cart(session: Session, customer_id: int) -> None:
    session.execute(delete(CartItem).where(CartItem.customer_id == customer_id))


def orders(session: Session, wanted: OrderQuery, customer_id: int | None) -> Page[Order]:
    """Newest first; of one customer, or of all."""
    query = select(Order)
    if customer_id is not None:
        query = query.where(Order.customer_id == customer_id)
    if wanted.status is not None:
        query = query.where(Order.status == wanted.status)
    return fetch_page(session, query, [Order.id.desc()], wanted.request)


def order(session: Session, order_id: int, *, lock: bool = False) -> Order | None:
    return session.get(Order, order_id, with_for_update=lock or None)

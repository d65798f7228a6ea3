"""The orders' use cases."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from shop.kernel.caller import Caller
from shop.kernel.errors import CartFull, EmptyCart, MixedCurrencies, NotFound, OrderState, ProductUnavailable
from shop.kernel.idempotency import Attempt, Outcome, once
from shop.kernel.money import total_of
from shop.kernel.outbox import Event, publish
from shop.kernel.pages import Page
from shop.kernel.unit_of_work import Transactions, UnitOfWork
from shop.modules.catalog.public import Catalog, Quote
from shop.modules.inventory.public import Inventory
from shop.modules.orders import repository
from shop.modules.orders.cart import Cart, cart_of
from shop.modules.orders.models import CANCELLED, PLACED, CartItem, Order, OrderItem
from shop.modules.orders.schemas import Checkout, OrderAnswer, OrderQuery
from shop.modules.payments.public import Payments

MAX_CART_ITEMS = 100


@dataclass(frozen=True, slots=True)
class _OrderEvent(Event):
    order_id: int
    customer_id: int
    total: str
    currency: str

    @property
    def aggregate(self) -> str:
        return f"order-{self.order_id}"


@dataclass(frozen=True, slots=True)
class OrderPlaced(_OrderEvent):
    topic: ClassVar[str] = "order.placed"


@dataclass(frozen=True, slots=True)
class OrderCancelled(_OrderEvent):
    topic: ClassVar[str] = "order.cancelled"


class Orders:
    """From cart to order, and back."""

    def __init__(
        self, transactions: Transactions, *, catalog: Catalog, inventory: Inventory, payments: Payments
    ) -> None:
        self._transactions = transactions
        self._catalog = catalog
        self._inventory = inventory
        self._payments = payments

    def get_cart(self, caller: Caller) -> Cart:
        with self._transactions.reading() as work:
            return self._cart(work, caller)

    def put_in_cart(self, caller: Caller, product_id: int, quantity: int) -> Cart:
        with self._transactions.writing() as work:
            quote = self._catalog.quotes(work, [product_id]).get(product_id)
            if quote is None:
                message = f"There is no product {product_id}."
                raise NotFound(message)
            if not quote.active:
                raise ProductUnavailable(product_id)
            if repository.other_cart_items(work.session, caller.id, product_id) >= MAX_CART_ITEMS:
                message = f"A cart has at most {MAX_CART_ITEMS} items."
                raise CartFull(message)
            repository.put_cart_item(work.session, caller.id, product_id, quantity)
            return self._cart(work, caller)

    def remove_from_cart(self, caller: Caller, product_id: int) -> None:
        with self._transactions.writing() as work:
            if not repository.remove_cart_item(work.session, caller.id, product_id):
                message = f"There is no item {product_id} in the cart."
                raise NotFound(message)

    def empty_cart(self, caller: Caller) -> None:
        with self._transactions.writing() as work:
            repository.empty_cart(work.session, caller.id)

    def check_out(self, caller: Caller, key: str, checkout: Checkout) -> Outcome[OrderAnswer]:
        """Order what is in the cart: one transaction over prices, stock and payment, once per key."""
        self._payments.require_known(checkout.payment_token)
        with self._transactions.writing() as work:
            attempt = Attempt("checkout", caller.id, key, checkout)
            return once(work, attempt, OrderAnswer, lambda: self._place(work, attempt, checkout.payment_token))

    def _place(self, work: UnitOfWork, attempt: Attempt, card_token: str) -> OrderAnswer:
        """(1) price the cart, (2) hold the stock, (3) write the order, (4) charge, (5) take the stock out, (6) tell."""
        customer_id = attempt.caller_id
        items = repository.cart_items(work.session, customer_id, lock=True)
        if not items:
            raise EmptyCart
        lines = self._priced(work, items)  # (1)
        total = total_of([line.total for line in lines])
        if total is None:
            raise MixedCurrencies
        quantities = _quantities(lines)
        reservation = self._inventory.reserve_within(work, customer_id, quantities)  # (2)
        order = Order(  # (3)
            customer_id=customer_id,
            status=PLACED,
            total_minor=total.minor,
            currency=total.currency,
            reservation_id=reservation.id,
            created_at=work.now,
            updated_at=work.now,
            items=lines,
        )
        work.session.add(order)
        repository.empty_cart(work.session, customer_id)
        work.session.flush()
        self._inventory.confirm_within(work, reservation)  # (5) before (4): nothing but the commit may follow a charge
        publish(work, OrderPlaced(order.id, customer_id, total.amount, total.currency))  # (6)
        order.payment_id = self._payments.charge_within(  # (4)
            work,
            order_id=order.id,
            owner_id=customer_id,
            amount=total,
            card_token=card_token,
            key=f"checkout-{customer_id}-{attempt.key}",
        )
        work.session.flush()
        return OrderAnswer.of(order)

    def list_orders(self, caller: Caller, wanted: OrderQuery) -> Page[Order]:
        with self._transactions.reading() as work:
            return repository.orders(work.session, wanted, None if caller.is_staff else caller.id)

    def get_order(self, caller: Caller, order_id: int) -> Order:
        with self._transactions.reading() as work:
            return _order(work.session, caller, order_id)

    def cancel(self, caller: Caller, order_id: int) -> Order:
        """Give the money and the goods back."""
        with self._transactions.writing() as work:
            order = _order(work.session, caller, order_id, lock=True)
            if order.status != PLACED:
                message = f"Order {order_id} is {order.status}."
                raise OrderState(message)
            order.status, order.updated_at = CANCELLED, work.now
            for sku, quantity in sorted(_quantities(order.items).items()):
                self._inventory.adjust_within(work, sku, quantity, f"order {order_id} cancelled")
            publish(work, OrderCancelled(order_id, order.customer_id, order.total.amount, order.currency))
            if order.payment_id is not None:
                self._payments.refund_rest_within(work, order.payment_id)
            return order

    def _cart(self, work: UnitOfWork, caller: Caller) -> Cart:
        items = repository.cart_items(work.session, caller.id)
        return cart_of(items, self._catalog.quotes(work, [item.product_id for item in items]))

    def _priced(self, work: UnitOfWork, items: list[CartItem]) -> list[OrderItem]:
        quotes = self._catalog.quotes(work, [item.product_id for item in items])
        return [_line(item, quotes.get(item.product_id)) for item in items]


def _line(item: CartItem, quote: Quote | None) -> OrderItem:
    if quote is None or not quote.active:
        raise ProductUnavailable(item.product_id)
    return OrderItem(
        product_id=item.product_id,
        sku=quote.sku,
        name=quote.name,
        quantity=item.quantity,
        unit_minor=quote.price.minor,
        currency=quote.price.currency,
    )


def _quantities(lines: list[OrderItem]) -> dict[str, int]:
    """Per SKU."""
    quantities = Counter[str]()
    for line in lines:
        quantities[line.sku] += line.quantity
    return dict(quantities)


def _order(session: Session, caller: Caller, order_id: int, *, lock: bool = False) -> Order:
    order = repository.order(session, order_id, lock=lock)
    if order is None or not caller.may_see(order.customer_id):
        message = f"There is no order {order_id}."
        raise NotFound(message)
    return order

"""A service whose answers are right and whose deeds are not: what it writes, tells and calls at a checkout."""

import json
from collections.abc import Callable
from dataclasses import replace

from shadow.exchanges import Exchange
from shadow.mutants import Mutant
from strangler.shadow.answer import Answer
from strangler.shadow.effects import Called, Effects, Published, Row, RowWrite


def effects(change: Callable[[Effects], Effects]) -> Callable[[Exchange], Answer | None]:
    """The effects changed, where there are any."""

    def fault(exchange: Exchange) -> Answer | None:
        found = exchange.answer.effects
        return None if found is None else replace(exchange.answer, effects=change(found))

    return fault


def rows(change: Callable[[RowWrite], list[RowWrite]]) -> Callable[[Exchange], Answer | None]:
    """Each row changed, left out or multiplied."""
    return effects(lambda found: replace(found, rows=tuple(new for row in found.rows for new in change(row))))


def of(table: str, change: Callable[[RowWrite], list[RowWrite]]) -> Callable[[Exchange], Answer | None]:
    """The rows of one table changed."""
    return rows(lambda row: change(row) if row.table == table else [row])


def _put(row: Row, **columns: object) -> Row:
    return tuple(sorted({**dict(row), **columns}.items()))  # type: ignore[arg-type]


def _added(row: RowWrite, column: str, number: int) -> RowWrite:
    value = dict(row.after)[column]
    assert isinstance(value, int)
    return replace(row, after=_put(row.after, **{column: value + number}))


def _more(text: str, **members: object) -> str:
    return json.dumps({**json.loads(text), **members})


def _first_event(change: Callable[[Published], list[Published]]) -> Callable[[Exchange], Answer | None]:
    return effects(lambda found: replace(found, events=(*change(found.events[0]), *found.events[1:])))


def _first_call(change: Callable[[Called], list[Called]]) -> Callable[[Exchange], Answer | None]:
    return effects(lambda found: replace(found, calls=(*change(found.calls[0]), *found.calls[1:])))


_STOCK, _ORDERS, _LINES, _CART = "inventory_stock", "orders_orders", "orders_order_items", "orders_cart_items"

EFFECTS = (
    Mutant("the stock of another article falls", "effects.rows.inventory_stock",
           of(_STOCK, lambda row: [replace(row, key=_put(row.key, sku="SKU-000039"))])),
    Mutant("the stock falls by one too many", "effects.rows.inventory_stock",
           of(_STOCK, lambda row: [_added(row, "on_hand", -1)])),
    Mutant("the stock stays as it is", "effects.rows.inventory_stock", of(_STOCK, lambda row: [])),
    Mutant("another column falls", "effects.rows.inventory_stock",
           of(_STOCK, lambda row: [replace(row, after=(("reserved", dict(row.after)["on_hand"]),))])),
    Mutant("the stock is written twice", "effects.rows.inventory_stock", of(_STOCK, lambda row: [row, row])),
    Mutant("the cart stays full", "effects.rows.orders_cart_items", of(_CART, lambda row: [])),
    Mutant("another's cart is emptied", "effects.rows.orders_cart_items",
           of(_CART, lambda row: [replace(row, key=_put(row.key, customer_id=1))])),
    Mutant("the order is another's", "effects.rows.orders_orders",
           of(_ORDERS, lambda row: [replace(row, after=_put(row.after, customer_id=1))])),
    Mutant("the order is a cent too dear", "effects.rows.orders_orders",
           of(_ORDERS, lambda row: [_added(row, "total_minor", 1)])),
    Mutant("the order has no currency", "effects.rows.orders_orders",
           of(_ORDERS, lambda row: [replace(row, after=tuple(pair for pair in row.after if pair[0] != "currency"))])),
    Mutant("a column has nothing", "effects.rows.orders_orders",
           of(_ORDERS, lambda row: [replace(row, after=_put(row.after, status=None))])),
    Mutant("a number is written as text", "effects.rows.orders_orders",
           of(_ORDERS, lambda row: [replace(row, after=_put(row.after, customer_id="2"))])),
    Mutant("an order is updated, not made", "effects.rows.orders_orders",
           of(_ORDERS, lambda row: [replace(row, operation="update")])),
    Mutant("the lines go to another table", "effects.rows.orders_order_items",
           of(_LINES, lambda row: [replace(row, table="orders_items")])),
    Mutant("a line is missing", "effects.rows.orders_order_items", of(_LINES, lambda row: [])),
    Mutant("an audit row too many", "effects.rows.audit",
           of(_ORDERS, lambda row: [row, RowWrite("audit", "insert", row.key, (("what", "order"),))])),
    Mutant("the event is not told", "effects.events.order.placed", _first_event(lambda event: [])),
    Mutant("the event is told twice", "effects.events.order.placed", _first_event(lambda event: [event, event])),
    Mutant("the event has another topic", "effects.events.order.created",
           _first_event(lambda event: [replace(event, topic="order.created")])),
    Mutant("the event has another total", "effects.events.order.placed",
           _first_event(lambda event: [replace(event, payload=_more(event.payload, total="0.00"))])),
    Mutant("the event says more", "effects.events.order.placed",
           _first_event(lambda event: [replace(event, payload=_more(event.payload, email="a@example.org"))])),
    Mutant("the card is charged twice", "effects.calls.payments.charge", _first_call(lambda call: [call, call])),
    Mutant("the card is not charged", "effects.calls.payments.charge", _first_call(lambda call: [])),
    Mutant("the card is charged another amount", "effects.calls.payments.charge",
           _first_call(lambda call: [replace(call, arguments=_more(call.arguments, amount="1.00"))])),
    Mutant("the charge has no key of its own", "effects.calls.payments.charge",
           _first_call(lambda call: [replace(call, arguments=_more(call.arguments, key="checkout"))])),
    Mutant("somebody else is called too", "effects.calls.mail.send",
           _first_call(lambda call: [call, Called("mail.send", "{}")])),
)  # fmt: skip
"""``field`` is the beginning of one here."""

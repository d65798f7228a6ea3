"""Cart and order endpoints in Flask."""

from flask import Blueprint, Response

from shop.kernel.wire import PageAnswer
from shop.modules.orders.public import CartAnswer, CartChange, Checkout, OrderAnswer, OrderQuery
from shop.web.answers import created_once
from shop.web.flask_app.exchange import answer, nothing, query, shop, signed_in, submitted, submitted_once

routes = Blueprint("orders", __name__, url_prefix="/api")


@routes.get("/cart")
def get_cart() -> Response:
    return answer(CartAnswer.of(shop().orders.get_cart(signed_in())))


@routes.delete("/cart")
def empty_cart() -> Response:
    shop().orders.empty_cart(signed_in())
    return nothing()


@routes.put("/cart/items/<id:product_id>")
def put_in_cart(product_id: int) -> Response:
    caller, change = submitted(CartChange, by=signed_in)
    return answer(CartAnswer.of(shop().orders.put_in_cart(caller, product_id, change.quantity)))


@routes.delete("/cart/items/<id:product_id>")
def remove_from_cart(product_id: int) -> Response:
    shop().orders.remove_from_cart(signed_in(), product_id)
    return nothing()


@routes.post("/orders")
def check_out() -> Response:
    caller, key, checkout = submitted_once(Checkout, by=signed_in)
    outcome = shop().orders.check_out(caller, key, checkout)
    return answer(outcome.answer, 201, created_once(f"/api/orders/{outcome.answer.id}", replayed=outcome.replayed))


@routes.get("/orders")
def list_orders() -> Response:
    page = shop().orders.list_orders(signed_in(), query(OrderQuery))
    return answer(PageAnswer[OrderAnswer].of(page))


@routes.get("/orders/<id:order_id>")
def get_order(order_id: int) -> Response:
    return answer(OrderAnswer.of(shop().orders.get_order(signed_in(), order_id)))


@routes.post("/orders/<id:order_id>/cancel")
def cancel_order(order_id: int) -> Response:
    return answer(OrderAnswer.of(shop().orders.cancel(signed_in(), order_id)))

"""Cart and order endpoints in FastAPI."""

from typing import Annotated

from fastapi import Query, Response

from shop.kernel.wire import PageAnswer
from shop.modules.orders.public import CartAnswer, CartChange, Checkout, OrderAnswer, OrderQuery
from shop.web.answers import created_once
from shop.web.fastapi_app.exchange import Key, SignedIn, TheShop, module_router, nothing, problems

router = module_router("orders")


@router.get("/cart", responses=problems(401))
def get_cart(shop: TheShop, caller: SignedIn) -> CartAnswer:
    return CartAnswer.of(shop.orders.get_cart(caller))


@router.delete("/cart", status_code=204, responses=problems(401, 403))
def empty_cart(shop: TheShop, caller: SignedIn) -> Response:
    shop.orders.empty_cart(caller)
    return nothing()


@router.put("/cart/items/{product_id:id}", responses=problems(400, 401, 403, 404, 409, 413, 415, 422))
def put_in_cart(product_id: int, change: CartChange, shop: TheShop, caller: SignedIn) -> CartAnswer:
    return CartAnswer.of(shop.orders.put_in_cart(caller, product_id, change.quantity))


@router.delete("/cart/items/{product_id:id}", status_code=204, responses=problems(401, 403, 404))
def remove_from_cart(product_id: int, shop: TheShop, caller: SignedIn) -> Response:
    shop.orders.remove_from_cart(caller, product_id)
    return nothing()


@router.post("/orders", status_code=201, responses=problems(400, 401, 402, 403, 409, 413, 415, 422))
def check_out(checkout: Checkout, response: Response, shop: TheShop, caller: SignedIn, key: Key) -> OrderAnswer:
    outcome = shop.orders.check_out(caller, key, checkout)
    response.headers.update(created_once(f"/api/orders/{outcome.answer.id}", replayed=outcome.replayed))
    return outcome.answer


@router.get("/orders", responses=problems(401, 422))
def list_orders(wanted: Annotated[OrderQuery, Query()], shop: TheShop, caller: SignedIn) -> PageAnswer[OrderAnswer]:
    return PageAnswer[OrderAnswer].of(shop.orders.list_orders(caller, wanted))


@router.get("/orders/{order_id:id}", responses=problems(401, 404))
def get_order(order_id: int, shop: TheShop, caller: SignedIn) -> OrderAnswer:
    return OrderAnswer.of(shop.orders.get_order(caller, order_id))


@router.post("/orders/{order_id:id}/cancel", responses=problems(401, 403, 404, 409))
def cancel_order(order_id: int, shop: TheShop, caller: SignedIn) -> OrderAnswer:
    return OrderAnswer.of(shop.orders.cancel(caller, order_id))

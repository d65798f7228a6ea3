"""Cart and order endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop.kernel.wire import PageAnswer
from shop.modules.orders.public import CartAnswer, CartChange, Checkout, OrderAnswer, OrderQuery
from shop.web.answers import created_once
from shop.web.django_app.exchange import ApiView, answer, nothing, query, shop, signed_in, submitted, submitted_once


class Cart(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(CartAnswer.of(shop().orders.get_cart(signed_in(request))))

    def delete(self, request: HttpRequest) -> HttpResponse:
        shop().orders.empty_cart(signed_in(request))
        return nothing()


class CartItem(ApiView):
    def put(self, request: HttpRequest, product_id: int) -> HttpResponse:
        caller, change = submitted(request, CartChange, by=signed_in)
        return answer(CartAnswer.of(shop().orders.put_in_cart(caller, product_id, change.quantity)))

    def delete(self, request: HttpRequest, product_id: int) -> HttpResponse:
        shop().orders.remove_from_cart(signed_in(request), product_id)
        return nothing()


class Orders(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        page = shop().orders.list_orders(signed_in(request), query(request, OrderQuery))
        return answer(PageAnswer[OrderAnswer].of(page))

    def post(self, request: HttpRequest) -> HttpResponse:
        caller, key, checkout = submitted_once(request, Checkout, by=signed_in)
        outcome = shop().orders.check_out(caller, key, checkout)
        return answer(outcome.answer, 201, created_once(f"/api/orders/{outcome.answer.id}", replayed=outcome.replayed))


class Order(ApiView):
    def get(self, request: HttpRequest, order_id: int) -> HttpResponse:
        return answer(OrderAnswer.of(shop().orders.get_order(signed_in(request), order_id)))


class Cancellation(ApiView):
    def post(self, request: HttpRequest, order_id: int) -> HttpResponse:
        return answer(OrderAnswer.of(shop().orders.cancel(signed_in(request), order_id)))


urlpatterns = [
    path("api/cart", Cart.as_view()),
    path("api/cart/items/<id:product_id>", CartItem.as_view()),
    path("api/orders", Orders.as_view()),
    path("api/orders/<id:order_id>", Order.as_view()),
    path("api/orders/<id:order_id>/cancel", Cancellation.as_view()),
]

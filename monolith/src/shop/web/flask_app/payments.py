"""Payment endpoints in Flask."""

from flask import Blueprint, Response

from shop.modules.payments.public import NewRefund, PaymentAnswer
from shop.web.answers import created_once
from shop.web.flask_app.exchange import answer, shop, signed_in, staff, submitted_once

routes = Blueprint("payments", __name__, url_prefix="/api/payments")


@routes.get("/<id:payment_id>")
def get_payment(payment_id: int) -> Response:
    return answer(PaymentAnswer.of(shop().payments.get(signed_in(), payment_id)))


@routes.post("/<id:payment_id>/refunds")
def refund_payment(payment_id: int) -> Response:
    caller, key, new = submitted_once(NewRefund, by=staff)
    outcome = shop().payments.refund(caller, payment_id, key, new)
    return answer(outcome.answer, 201, created_once(f"/api/payments/{payment_id}", replayed=outcome.replayed))

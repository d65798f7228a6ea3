"""Payment endpoints in FastAPI."""

from fastapi import Response

from shop.modules.payments.public import NewRefund, PaymentAnswer, RefundAnswer
from shop.web.answers import created_once
from shop.web.fastapi_app.exchange import Key, SignedIn, Staff, TheShop, module_router, problems

router = module_router("payments")


@router.get("/payments/{payment_id:id}", responses=problems(401, 404))
def get_payment(payment_id: int, shop: TheShop, caller: SignedIn) -> PaymentAnswer:
    return PaymentAnswer.of(shop.payments.get(caller, payment_id))


@router.post(
    "/payments/{payment_id:id}/refunds",
    status_code=201,
    responses=problems(400, 401, 403, 404, 409, 413, 415, 422),
)
def refund_payment(
    payment_id: int, new: NewRefund, response: Response, shop: TheShop, caller: Staff, key: Key
) -> RefundAnswer:
    outcome = shop.payments.refund(caller, payment_id, key, new)
    response.headers.update(created_once(f"/api/payments/{payment_id}", replayed=outcome.replayed))
    return outcome.answer

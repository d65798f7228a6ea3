"""The payments' door."""

from shop.modules.payments.provider import CardProvider, ReportedProvider, SandboxProvider
from shop.modules.payments.schemas import NewRefund, PaymentAnswer, RefundAnswer
from shop.modules.payments.service import PaymentRefunded, Payments

__all__ = [
    "CardProvider",
    "NewRefund",
    "PaymentAnswer",
    "PaymentRefunded",
    "Payments",
    "RefundAnswer",
    "ReportedProvider",
    "SandboxProvider",
]

"""Every failure that a caller can be told of, with problem type, title and HTTP status (docs/reference/shop-api.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong. `field` is a dotted path, a parameter or a header; "" is the whole body."""

    field: str
    message: str


class Problem(Exception):
    """A refusal with a reason. `str(problem)` is the detail, in a sentence for people."""

    slug: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int]

    @property
    def detail(self) -> str:
        return str(self)


class MalformedJson(Problem):
    slug, title, status = "malformed-json", "Malformed JSON", 400

    def __init__(self) -> None:
        super().__init__("The body is not valid JSON.")


class Unauthenticated(Problem):
    slug, title, status = "unauthenticated", "Authentication required", 401


class SignInRequired(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("This needs a signed-in caller.")


class InvalidToken(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("The token is not valid.")


class WrongCredentials(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("The email or the password is wrong.")


class PaymentDeclined(Problem):
    slug, title, status = "payment-declined", "Payment declined", 402


class Forbidden(Problem):
    slug, title, status = "forbidden", "Forbidden", 403


class CrossSiteRequest(Problem):
    slug, title, status = "cross-site-request", "Cross-site request refused", 403

    def __init__(self) -> None:
        super().__init__("The request came from another site.")


class NotFound(Problem):
    slug, title, status = "not-found", "Not found", 404


class UnknownPath(NotFound):
    def __init__(self) -> None:
        super().__init__("There is nothing at this path.")


class MethodNotAllowed(Problem):
    slug, title, status = "method-not-allowed", "Method not allowed", 405

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{method} is not allowed here.")
        self.allowed = tuple(sorted(allowed))


class Duplicate(Problem):
    slug, title, status = "duplicate", "Already exists", 409


class CategoryInUse(Problem):
    slug, title, status = "category-in-use", "Category in use", 409


class InsufficientStock(Problem):
    slug, title, status = "insufficient-stock", "Insufficient stock", 409

    def __init__(self, sku: str) -> None:
        super().__init__(f"Not enough stock of {sku}.")


class ReservationState(Problem):
    slug, title, status = "reservation-state", "Wrong state", 409


class OrderState(Problem):
    slug, title, status = "order-state", "Wrong state", 409


class ProductUnavailable(Problem):
    slug, title, status = "product-unavailable", "Product unavailable", 409

    def __init__(self, product_id: int) -> None:
        super().__init__(f"Product {product_id} cannot be ordered.")


class EmptyCart(Problem):
    slug, title, status = "empty-cart", "Empty cart", 409

    def __init__(self) -> None:
        super().__init__("The cart is empty.")


class MixedCurrencies(Problem):
    slug, title, status = "mixed-currencies", "Mixed currencies", 409

    def __init__(self) -> None:
        super().__init__("The items of an order must have one currency.")


class CartFull(Problem):
    slug, title, status = "cart-full", "Cart full", 409


class RefundExceedsPayment(Problem):
    slug, title, status = "refund-exceeds-payment", "Refund exceeds payment", 409


class PreconditionFailed(Problem):
    slug, title, status = "precondition-failed", "Precondition failed", 412

    def __init__(self, etag: str) -> None:
        super().__init__(f"The resource has changed: its ETag is now {etag}.")


class ContentTooLarge(Problem):
    slug, title, status = "content-too-large", "Content too large", 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")


class UnsupportedMediaType(Problem):
    slug, title, status = "unsupported-media-type", "Unsupported media type", 415

    def __init__(self) -> None:
        super().__init__("The body must be application/json.")


class ValidationFailed(Problem):
    slug, title, status = "validation-failed", "Validation failed", 422

    def __init__(self, *errors: FieldError) -> None:
        count = len(errors)
        super().__init__(f"{count} fields are not valid." if count != 1 else "1 field is not valid.")
        self.errors = errors


class IdempotencyKeyReused(Problem):
    slug, title, status = "idempotency-key-reused", "Idempotency key reused", 422

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another request.")


class InternalError(Problem):
    slug, title, status = "internal-error", "Internal error", 500

    def __init__(self) -> None:
        super().__init__("Something went wrong on our side.")


class NotReady(Problem):
    slug, title, status = "not-ready", "Not ready", 503

    def __init__(self) -> None:
        super().__init__("The database cannot be reached.")

"""Who is asking. Established at the edge, checked by the use cases."""

from dataclasses import dataclass

from shop.kernel.errors import Forbidden

STAFF = "staff"
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in customer or member of staff."""

    id: int
    roles: frozenset[str]

    @property
    def is_staff(self) -> bool:
        return STAFF in self.roles

    def require_staff(self) -> None:
        if not self.is_staff:
            message = f"This needs the role {STAFF}."
            raise Forbidden(message)

    def may_see(self, owner_id: int) -> bool:
        return self.is_staff or self.id == owner_id

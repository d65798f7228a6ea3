"""Whether this process lives, and whether it can work."""

from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from shop.application import Shop
from shop.kernel.errors import NotReady


class Health(BaseModel):
    status: str = "ok"


def ready(shop: Shop) -> Health:
    """Raises NotReady when the database does not answer."""
    try:
        shop.database.answers()
    except SQLAlchemyError as error:
        raise NotReady from error
    return Health()

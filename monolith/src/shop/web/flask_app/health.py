"""Health endpoints in Flask."""

from flask import Blueprint, Response

from shop.web.flask_app.exchange import answer, shop
from shop.web.health import Health, ready

routes = Blueprint("health", __name__)


@routes.get("/livez")
def livez() -> Response:
    return answer(Health())


@routes.get("/readyz")
def readyz() -> Response:
    return answer(ready(shop()))

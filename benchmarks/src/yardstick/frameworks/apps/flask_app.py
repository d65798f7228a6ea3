"""The shop in Flask with the endpoints that isolate the framework: ``create_app``."""

from typing import Any

import urllib3
from flask import Blueprint, Flask, Response, current_app

from shop.application import Shop
from shop.web.flask_app import create_app as create_shop
from shop.web.flask_app.exchange import posted
from yardstick.frameworks.apps.documents import DOCUMENT, TEXT, Order, add_up
from yardstick.frameworks.apps.downstream import address, for_threads

routes = Blueprint("bench", __name__, url_prefix="/bench")


@routes.get("/plaintext")
def plaintext() -> Response:
    return Response(TEXT, mimetype="text/plain")


@routes.get("/json")
def json() -> dict[str, Any]:
    return DOCUMENT


@routes.post("/validate")
def validate() -> dict[str, Any]:
    return add_up(posted(Order)).model_dump()


@routes.get("/slow")
def slow() -> dict[str, Any]:
    downstream: urllib3.PoolManager = current_app.extensions["downstream"]
    answer: dict[str, Any] = downstream.request("GET", address()).json()
    return answer


def create_app(shop: Shop | None = None) -> Flask:
    """The WSGI application. Without a shop one is built from the environment."""
    app = create_shop(shop)
    app.extensions["downstream"] = for_threads()
    app.register_blueprint(routes)
    return app

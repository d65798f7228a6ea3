"""The shop in Flask: an application factory, and a blueprint per module."""

from flask import Flask, Response, current_app
from flask import request as flask_request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.routing import BaseConverter

from shop.application import Shop, build
from shop.kernel import errors
from shop.web.access_log import AccessLog, log_wsgi
from shop.web.flask_app import catalog, customers, health, inventory, notifications, orders, payments
from shop.web.flask_app.exchange import problem_answer
from shop.web.leftovers import read_leftovers_wsgi
from shop.web.requests import ID_PATTERN, MAX_BODY_BYTES, SKU_PATTERN
from strangler_kit.reporting import report_wsgi

BLUEPRINTS = (
    catalog.routes,
    inventory.routes,
    customers.routes,
    orders.routes,
    payments.routes,
    notifications.routes,
    health.routes,
)


class IdConverter(BaseConverter):
    """`<id:product_id>`"""

    regex = ID_PATTERN

    def to_python(self, value: str) -> int:
        return int(value)


class SkuConverter(BaseConverter):
    """`<sku:sku>`"""

    regex = SKU_PATTERN


def create_app(shop: Shop | None = None) -> Flask:
    """The WSGI application. Without a shop one is built from the environment."""
    shop = shop or build()
    app = Flask("shop", static_folder=None)
    # One byte more than is allowed: by it a chunked body that is too large is noticed.
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES + 1, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.extensions["shop"] = shop
    app.url_map.merge_slashes = False
    app.url_map.converters.update(id=IdConverter, sku=SkuConverter)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.before_request(_refuse_doubled_slash)
    app.register_error_handler(errors.Problem, problem_answer)
    app.register_error_handler(HTTPException, _refused_by_flask)
    app.register_error_handler(Exception, _unforeseen)
    app.wsgi_app = read_leftovers_wsgi(report_wsgi(app.wsgi_app, shop.settings.shadow_key))
    if shop.settings.access_log is not None:
        app.wsgi_app = log_wsgi(app.wsgi_app, AccessLog(shop.settings.access_log))
    return app


def _refuse_doubled_slash() -> None:
    # Werkzeug takes leading slashes for one.
    if flask_request.environ["PATH_INFO"].startswith("//"):
        raise errors.UnknownPath


def _refused_by_flask(refusal: HTTPException) -> Response:
    match refusal:
        case NoRoute():
            return problem_answer(errors.UnknownPath())
        case MethodNotAllowed(valid_methods=allowed):
            return problem_answer(errors.MethodNotAllowed(flask_request.method, list(allowed or ())))
        case RequestEntityTooLarge():
            return problem_answer(errors.ContentTooLarge(MAX_BODY_BYTES))
        case _:
            return problem_answer(errors.MalformedJson() if refusal.code == 400 else errors.InternalError())


def _unforeseen(error: Exception) -> Response:
    current_app.logger.error("unforeseen failure", exc_info=error)
    return problem_answer(errors.InternalError())

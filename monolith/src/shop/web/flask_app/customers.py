"""Account, session and token endpoints in Flask."""

from flask import Blueprint, Response, request

from shop.kernel.errors import SignInRequired
from shop.modules.customers.public import Credentials, CustomerAnswer, Registration
from shop.web.answers import KEY_SET, created
from shop.web.flask_app.exchange import answer, json_body, nothing, posted, shop, signed_in
from shop.web.identity import SESSION_COOKIE, refuse_cross_site
from shop.web.requests import validate

routes = Blueprint("customers", __name__)


@routes.post("/api/customers")
def register() -> Response:
    customer = shop().customers.register(posted(Registration))
    return answer(CustomerAnswer.of(customer), 201, created("/api/me"))


@routes.post("/api/session")
def log_in() -> Response:
    raw = json_body()
    refuse_cross_site(request.headers)
    customer, token = shop().customers.log_in(validate(Credentials, raw))
    response = answer(CustomerAnswer.of(customer))
    settings = shop().settings
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_seconds,
        secure=settings.cookie_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


@routes.delete("/api/session")
def log_out() -> Response:
    signed_in()
    token = request.cookies.get(SESSION_COOKIE)
    if "Authorization" in request.headers or token is None:
        raise SignInRequired
    shop().customers.log_out(token)
    response = nothing()
    response.delete_cookie(SESSION_COOKIE, secure=shop().settings.cookie_secure, httponly=True, samesite="Lax")
    return response


@routes.post("/api/tokens")
def issue_token() -> Response:
    return answer(shop().customers.issue_token(posted(Credentials)))


@routes.get("/api/me")
def who_am_i() -> Response:
    return answer(CustomerAnswer.of(shop().customers.get(signed_in().id)))


@routes.get("/.well-known/jwks.json")
def key_set() -> Response:
    return answer(shop().customers.key_set(), headers=KEY_SET)

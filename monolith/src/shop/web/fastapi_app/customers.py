"""Account, session and token endpoints in FastAPI."""

from fastapi import APIRouter, Depends, Request, Response

from shop.kernel.errors import SignInRequired
from shop.modules.customers.public import Credentials, CustomerAnswer, JwkSet, Registration, TokenAnswer
from shop.web.answers import KEY_SET, created
from shop.web.fastapi_app.exchange import SignedIn, TheShop, module_router, nothing, problems
from shop.web.identity import SESSION_COOKIE, refuse_cross_site

router = module_router("customers")
well_known = APIRouter(prefix="/.well-known", tags=["customers"])


async def own_site(request: Request) -> None:
    refuse_cross_site(request.headers)


@router.post("/customers", status_code=201, responses=problems(400, 409, 413, 415, 422))
def register(registration: Registration, response: Response, shop: TheShop) -> CustomerAnswer:
    customer = shop.customers.register(registration)
    response.headers.update(created("/api/me"))
    return CustomerAnswer.of(customer)


@router.post("/session", dependencies=[Depends(own_site)], responses=problems(400, 401, 403, 413, 415, 422))
def log_in(credentials: Credentials, response: Response, shop: TheShop) -> CustomerAnswer:
    customer, token = shop.customers.log_in(credentials)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=shop.settings.session_seconds,
        secure=shop.settings.cookie_secure,
        httponly=True,
        samesite="Lax",
    )
    return CustomerAnswer.of(customer)


@router.delete("/session", status_code=204, responses=problems(401, 403))
def log_out(request: Request, shop: TheShop, _: SignedIn) -> Response:
    token = request.cookies.get(SESSION_COOKIE)
    if "Authorization" in request.headers or token is None:
        raise SignInRequired
    shop.customers.log_out(token)
    response = nothing()
    response.delete_cookie(SESSION_COOKIE, secure=shop.settings.cookie_secure, httponly=True, samesite="Lax")
    return response


@router.post("/tokens", responses=problems(400, 401, 413, 415, 422))
def issue_token(credentials: Credentials, shop: TheShop) -> TokenAnswer:
    return shop.customers.issue_token(credentials)


@router.get("/me", responses=problems(401))
def who_am_i(shop: TheShop, caller: SignedIn) -> CustomerAnswer:
    return CustomerAnswer.of(shop.customers.get(caller.id))


@well_known.get("/jwks.json")
def key_set(response: Response, shop: TheShop) -> JwkSet:
    response.headers.update(KEY_SET)
    return shop.customers.key_set()

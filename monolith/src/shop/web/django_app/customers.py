"""Account, session and token endpoints in Django."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from shop.kernel.errors import SignInRequired
from shop.modules.customers.public import Credentials, CustomerAnswer, Registration
from shop.web.answers import KEY_SET, created
from shop.web.django_app.exchange import ApiView, answer, json_body, nothing, posted, shop, signed_in
from shop.web.identity import SESSION_COOKIE, refuse_cross_site
from shop.web.requests import validate


class Customers(ApiView):
    def post(self, request: HttpRequest) -> HttpResponse:
        customer = shop().customers.register(posted(request, Registration))
        return answer(CustomerAnswer.of(customer), 201, created("/api/me"))


class Session(ApiView):
    def post(self, request: HttpRequest) -> HttpResponse:
        raw = json_body(request)
        refuse_cross_site(request.headers)
        customer, token = shop().customers.log_in(validate(Credentials, raw))
        response = answer(CustomerAnswer.of(customer))
        _set_cookie(response, token, max_age=shop().settings.session_seconds)
        return response

    def delete(self, request: HttpRequest) -> HttpResponse:
        signed_in(request)
        token = request.COOKIES.get(SESSION_COOKIE)
        if "Authorization" in request.headers or token is None:
            raise SignInRequired
        shop().customers.log_out(token)
        response = nothing()
        _set_cookie(response, "", max_age=0)
        return response


class Tokens(ApiView):
    def post(self, request: HttpRequest) -> HttpResponse:
        return answer(shop().customers.issue_token(posted(request, Credentials)))


class Me(ApiView):
    def get(self, request: HttpRequest) -> HttpResponse:
        return answer(CustomerAnswer.of(shop().customers.get(signed_in(request).id)))


class KeySet(ApiView):
    def get(self, _request: HttpRequest) -> HttpResponse:
        return answer(shop().customers.key_set(), headers=KEY_SET)


def _set_cookie(response: HttpResponse, token: str, max_age: int) -> None:
    secure = shop().settings.cookie_secure
    response.set_cookie(SESSION_COOKIE, token, max_age=max_age, secure=secure, httponly=True, samesite="Lax")


urlpatterns = [
    path("api/customers", Customers.as_view()),
    path("api/session", Session.as_view()),
    path("api/tokens", Tokens.as_view()),
    path("api/me", Me.as_view()),
    path(".well-known/jwks.json", KeySet.as_view()),
]

"""Small monoliths that keep sessions as Flask and Django do by themselves: ``POST /login``, ``POST /logout``, ``/me``.

``python -m support.session_monolith flask|django-cookie|django-table --port N --database FILE``; the secret is in the
environment as ``SECRET_KEY``.
"""

import argparse
import json
import os
import socketserver
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import django
import flask
from django.conf import settings
from django.contrib import auth
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

USER = "fig"


def flask_monolith() -> Callable[..., Any]:
    """A Flask application with its own signed cookie."""
    app = flask.Flask("monolith")
    app.secret_key = os.environ["SECRET_KEY"]

    @app.post("/login")
    def log_in() -> str:
        flask.session["_user_id"] = "1"
        flask.session["roles"] = ["staff"]
        return "hello"

    @app.post("/logout")
    def log_out() -> str:
        flask.session.clear()
        return "bye"

    @app.get("/me")
    def me() -> flask.Response:
        user = flask.session.get("_user_id")
        return flask.Response(json.dumps({"id": user}), 200 if user else 401)

    return app


def log_in(request: HttpRequest) -> HttpResponse:
    user = auth.authenticate(request, username=USER, password=USER)
    auth.login(request, user)
    request.session["roles"] = ["staff"]
    return HttpResponse("hello")


def log_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return HttpResponse("bye")


def me(request: HttpRequest) -> HttpResponse:
    user = request.user
    return JsonResponse({"id": user.pk}, status=200 if user.is_authenticated else 401)


urlpatterns = [path("login", log_in), path("logout", log_out), path("me", me)]


def django_monolith(engine: str, database: str) -> Callable[..., Any]:
    """A Django application with ``django.contrib.auth`` and one user."""
    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        SESSION_ENGINE=f"django.contrib.sessions.backends.{engine}",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    auth.get_user_model().objects.create_user(USER, password=USER)
    return get_wsgi_application()


class Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["flask", "django-cookie", "django-table"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", default="")
    arguments = parser.parse_args()
    if arguments.kind == "flask":
        application = flask_monolith()
    else:
        engine = "signed_cookies" if arguments.kind == "django-cookie" else "db"
        application = django_monolith(engine, arguments.database)

    def ready(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        if environ["PATH_INFO"] == "/-/ready":
            start("200 OK", [])
            return [b""]
        return application(environ, start)

    make_server("127.0.0.1", arguments.port, ready, Threaded).serve_forever()


if __name__ == "__main__":
    main()

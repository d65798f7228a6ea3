"""The three applications as processes, each behind a server that its users know; their answers as compared."""

import contextlib
import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

from strangler.shadow.answer import Answer, Question
from support.processes import free_port, running

TESTS = Path(__file__).parents[2]
_SERVERS = {
    "flask": "-m flask --app support.defaults.flask_books run --port {port}",
    "django": "-m gunicorn --no-control-socket --threads 2 --bind 127.0.0.1:{port} support.defaults.django_books:app",
    "fastapi": "-m uvicorn --no-access-log --port {port} support.defaults.fastapi_books:app",
}


@contextlib.contextmanager
def serving_books(framework: str, folder: Path) -> Iterator[str]:
    """The authority of one of them: ``flask``, ``django`` or ``fastapi``. It keeps its database in ``folder``."""
    port = free_port()
    authority = f"127.0.0.1:{port}"
    command = [sys.executable, *_SERVERS[framework].format(port=port).split()]
    # Flask writes a set into Allow.
    env = {"PYTHONHASHSEED": "1", "BOOKS_DATABASE": str(folder / f"{framework}.db"), "PYTHONPATH": str(TESTS)}
    log = folder / f"{framework}.log"
    with running(f"books on {framework}", command, log=log, env=env, ready=f"http://{authority}/books/"):
        yield authority


def ask(authority: str, question: Question) -> Answer:
    """One question over a connection of its own; the host that it names is sent as it stands there."""
    connection = http.client.HTTPConnection(authority, timeout=30)
    try:
        connection.putrequest(
            question.method.decode(), question.target.decode(), skip_host=True, skip_accept_encoding=True
        )
        for name, value in question.fields:
            connection.putheader(name.decode(), value)
        if question.body:
            connection.putheader("Content-Length", str(len(question.body)))
        connection.endheaders(question.body or None)
        with connection.getresponse() as response:
            fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders())
            return Answer(response.status, fields, response.read(), authority=authority)
    finally:
        connection.close()

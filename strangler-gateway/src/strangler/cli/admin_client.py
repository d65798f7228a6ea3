"""Asks control's admin API, and turns its refusals into errors of the command line."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strangler.cli.failures import BadInput, Failed, Unreachable
from strangler.control.admin_address import is_token
from strangler.supervisor.state_folder import StateFolder

if TYPE_CHECKING:
    import httpx

PATIENCE = 15.0
"""Seconds for an answer; a flip waits up to 5 s for workers."""


class AdminClient:
    """The admin API of one gateway, at ``address`` or where the state folder says."""

    def __init__(self, address: str | None, state: Path) -> None:
        """Raises ``BadInput`` for an address or a token that is none, ``Unreachable`` if no gateway runs."""
        self._token = os.environ.get("STRANGLER_ADMIN_TOKEN")
        if self._token and not is_token(self._token):
            raise BadInput(
                "STRANGLER_ADMIN_TOKEN holds more than visible ASCII characters; set it to the gateway's token"
            )
        self._address = _checked(address) if address else _address_in(state)

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """The document at ``path`` under ``/api/v1``."""
        return self._ask("GET", path, params={key: value for key, value in query.items() if value is not None})

    def text(self, path: str, **query: str | int | None) -> str:
        """The text at ``path`` under ``/api/v1``."""
        params = {key: value for key, value in query.items() if value is not None}
        response = self._answer("GET", path, params=params)
        if not response.is_success:
            _document(response)  # It raises.
        return response.text

    def post(self, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer to ``document``. Raises ``BadInput``, ``Failed`` or ``Unreachable``."""
        return self._ask("POST", path, json=document or {})

    def delete(self, path: str) -> None:
        """Remove what is at ``path``. Raises ``BadInput``, ``Failed`` or ``Unreachable``."""
        response = self._answer("DELETE", path)
        if not response.is_success:
            _document(response)

    def download(self, path: str) -> Iterator[bytes]:
        """The lines at ``path``, one after the other. Raises ``BadInput``, ``Failed`` or ``Unreachable``."""
        with self._client() as client, client.stream("GET", self._url(path)) as response:
            if not response.is_success:
                response.read()
                _document(response)
            rest = b""
            for piece in response.iter_bytes():
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
            if rest:
                raise Failed("control stopped in the middle of a line; ask again")

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        return _document(self._answer(method, path, **how))

    def _answer(self, method: str, path: str, **how: Any) -> "httpx.Response":
        with self._client() as client:
            return client.request(method, self._url(path), **how)

    def _url(self, path: str) -> str:
        return f"http://{self._address}/api/v1{path}"

    @contextlib.contextmanager
    def _client(self) -> "Iterator[httpx.Client]":
        import httpx  # noqa: PLC0415  # 130 ms

        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            # A proxy named in the environment is for the internet, not for the gateway's own admin port.
            with httpx.Client(trust_env=False, timeout=PATIENCE, headers=headers) as client:
                yield client
        except UnicodeEncodeError as error:
            raise BadInput("one of the arguments is not text in UTF-8; write it anew") from error
        except httpx.HTTPError as error:
            raise Unreachable(
                f"control does not answer on {self._address} ({error or type(error).__name__}); "
                "is the gateway running? `strangler status` tells, `strangler up` or `strangler serve` starts it"
            ) from error


def _checked(address: str) -> str:
    from strangler.config.addresses import parse_listener  # noqa: PLC0415  # brings Pydantic

    try:
        return parse_listener(address).authority
    except ValueError as error:
        raise BadInput(f"--admin: {error}") from error


def _address_in(state: Path) -> str:
    folder = StateFolder(state)
    address = folder.read_run().get("admin") if folder.in_use() else None
    if not isinstance(address, str):
        raise Unreachable(
            f"no gateway runs with the state folder {folder.path}; start it with `strangler up` or `strangler serve`, "
            "or say where it is with --state or --admin"
        )
    return address


def _document(response: "httpx.Response") -> dict[str, Any]:
    try:
        document = response.json()
    except ValueError:
        document = None
    if response.is_success and isinstance(document, dict):
        return document
    problem = document if isinstance(document, dict) else {}
    text = str(problem.get("detail") or problem.get("title") or f"the admin API answered {response.status_code}")
    found = problem.get("problems", ())
    if found and not any(each["line"] for each in found):  # What was sent is wrong, and not a line of a file.
        text = "\n".join(f"{each['place'].removeprefix('body.')}: {each['message']}" for each in found)
    else:
        text += "".join(f"\n  line {each['line']}: {each['place']}: {each['message']}" for each in found)
    match response.status_code:
        case 401 | 403:
            raise Failed(f"{text}; set STRANGLER_ADMIN_TOKEN to the gateway's token")
        case 400 | 404 | 422:
            raise BadInput(text)
        case _:
            raise Failed(text)

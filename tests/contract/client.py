"""A plain HTTP client: sends the bytes it is told to, follows nothing, keeps its connection."""

import http.client
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

_subjects = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are in lower case; of each name all values, in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header that may occur once, or None."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} occurs {len(values)} times: {values}"
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Talks to one implementation as one caller. Not for use by two threads at once.

    Each request has an `X-User` of its own, so that a gateway that splits traffic by it splits these requests.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.headers = dict(headers or {})
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def having(self, **headers: str) -> "Client":
        """Return a client with more headers; `X_User` stands for `X-User`."""
        return Client(self.url, self.headers | {name.replace("_", "-"): value for name, value in headers.items()})

    def bearing(self, token: str) -> "Client":
        return self.having(Authorization=f"Bearer {token}")

    def send(
        self,
        method: str,
        target: str,
        *,
        json: Any = None,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send `json` with its content type, or `body` as it is (chunked if it is no bytes)."""
        sent = {"X-User": f"u{next(_subjects)}", **self.headers}
        if json is not None:
            body = encode(json)
            sent["Content-Type"] = "application/json"
        sent |= headers or {}
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            sent["Transfer-Encoding"] = "chunked"
        elif body is None and method in {"POST", "PUT", "PATCH"}:
            sent["Content-Length"] = "0"
        try:
            self._connection.request(method, target, body, sent, encode_chunked=chunked)
            with self._connection.getresponse() as response:
                found = tuple((name.lower(), value) for name, value in response.getheaders())
                answer = Answer(response.status, found, response.read())
            if answer.status == 413:
                self._connection.close()  # what is left of the body stands between this answer and the next request
            return answer
        except BaseException:
            self._connection.close()
            raise

    def get(self, target: str, **headers: str) -> Answer:
        return self.send("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, target: str, json: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", target, json=json, headers=named)

    def patch(self, target: str, json: Any, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("PATCH", target, json=json, headers=named)

    def put(self, target: str, json: Any) -> Answer:
        return self.send("PUT", target, json=json)

    def delete(self, target: str, **headers: str) -> Answer:
        return self.send("DELETE", target, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encode(document: Any) -> bytes:
    """Return JSON as the shop itself writes it: compact, in UTF-8, nothing escaped that need not be."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

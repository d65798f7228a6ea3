"""Proves that a proxy does the job, before it is timed: asks through it, looks at what arrived and what was logged."""

import ipaddress
import time
import uuid

import httpx

from yardstick.gateway.running import Running

_LOG_WITHIN = 5.0
"""Seconds: every proxy writes its log at least once a second."""


class NotTheSameJobError(RuntimeError):
    """A proxy leaves out a part of the job."""


def check(running: Running, token: str = "") -> list[str]:
    """Return the parts of the job that were seen to be done. Raises ``NotTheSameJobError`` with what was not.

    ``token`` is sent with every request, where one is wanted.
    """
    name, peer, place = running.peer.name, running.peer, running.place
    authority = f"127.0.0.1:{place.port}"
    marker = uuid.uuid4().hex
    headers = {"Cookie": "session=visitor-1"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with httpx.Client(base_url=f"http://{authority}", headers=headers) as client:
        given = client.get("/received", headers={"X-Request-ID": marker}).raise_for_status().json()
        answer = client.get("/received").raise_for_status()
        made = answer.json()
        for target in ("/api/products/7", "/api/products", "/api/inventory/SKU-1", "/api/orders", "/elsewhere"):
            client.get(target).raise_for_status()
    seen = {
        "the client's X-Request-ID kept": given["request_id"] == marker,
        "X-Forwarded-For": _is_address(given["for"]),
        "X-Forwarded-Proto": given["proto"] == "http",
        "X-Forwarded-Host": given["host"] == authority,
        "the connection to the upstream kept": made["requests"] > 1,
    }
    if peer.makes_request_ids:
        seen["X-Request-ID made when absent"] = bool(made["request_id"])
        seen["X-Request-ID told to the client"] = answer.headers.get("X-Request-ID") == made["request_id"]
        seen["the request id in the access log"] = all(
            bool(request_id) and _logged(running, request_id) for request_id in (made["request_id"], marker)
        )
    else:
        seen["a line in the access log"] = _logged(running, "/received")
    missing = [what for what, done in seen.items() if not done]
    if missing:
        raise NotTheSameJobError(f"{name}: not done: {', '.join(missing)} (the upstream received {given} and {made})")
    return list(seen)


def log_lines(running: Running) -> int:
    """Count the lines of the access log."""
    with running.place.log.open("rb") as log:
        return sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))


def wait_for_log(running: Running, lines: int) -> int:
    """Wait until the access log has so many lines, at most a few seconds; return how many it has."""
    deadline = time.monotonic() + _LOG_WITHIN
    while (has := log_lines(running)) < lines and time.monotonic() < deadline:
        time.sleep(0.1)
    return has


def _is_address(text: str) -> bool:
    """Whether it is one address. Envoy puts the machine's own in place of a loopback one, so any will do."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _logged(running: Running, text: str) -> bool:
    deadline = time.monotonic() + _LOG_WITHIN
    while time.monotonic() < deadline:
        if running.place.log.exists() and text in running.place.log.read_text(errors="replace"):
            return True
        time.sleep(0.1)
    return False

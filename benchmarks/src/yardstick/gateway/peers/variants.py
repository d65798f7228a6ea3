"""The gateway with something switched on or off, to be compared with itself."""

import dataclasses
import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode

from yardstick.gateway.peers import STRANGLER, Peer

SECRET = "only-for-the-benchmark-" + "0123456789abcdef" * 2
"""Of tokens that open nothing: the gateway that verifies them lives for the length of a benchmark."""

_TOKENS = """\
authentication:
  users:
    jwt: {issuer: benchmark, audience: [shop], secret: "env:YARDSTICK_SECRET"}
"""

SOURCES = dataclasses.replace(
    STRANGLER,
    name="strangler, sources",
    environment={"STRANGLER_COMPILED": "off"},
    remark="the data plane not compiled",
)


def at_stage(stage: str) -> Peer:
    """The gateway with the measured route at this stage, and a comparator that only reads what is mirrored."""
    return dataclasses.replace(
        STRANGLER,
        name=f"strangler, stage {stage}",
        program="python",
        arguments=("-m", "yardstick.gateway.peers.mirroring", "@FOLDER@/strangler.yaml"),
        version_arguments=("-c", "from importlib.metadata import version; print(version('strangler'))"),
        replaced=(("    stage: canary\n    weight: 50\n    shadow: {sample: 0}", f"    stage: {stage}"),),
        remark="the worker alone; every exchange is mirrored" if stage == "shadow" else "the worker alone",
    )


def with_routes(count: int) -> Peer:
    """The gateway with this many routes, of which the last but the catch-all takes the benchmark's requests."""
    further = "".join(
        f'  - {{name: r{number}, match: {{path: "/api/resource{number}/{{id}}"}}, module: m{number % 50}}}\n'
        for number in range(count - 5)
    )
    return dataclasses.replace(
        STRANGLER, name=f"strangler, {count:,} routes", further=further, remark="", ready_within=60.0
    )


def with_tokens() -> Peer:
    """The gateway with a route that wants a token."""
    return dataclasses.replace(
        STRANGLER,
        name="strangler, tokens",
        replaced=(
            (
                "    service: catalog\n    stage: canary",
                "    authenticate: {by: [users]}\n    service: catalog\n    stage: canary",
            ),
        ),
        further=_TOKENS,
        environment={"YARDSTICK_SECRET": SECRET},
        remark="verifies the token (HS256) of every request to a product",
    )


def token(user: int) -> str:
    """A token of one user, good for an hour."""
    now = int(time.time())
    claims = {
        "iss": "benchmark",
        "aud": "shop",
        "sub": f"visitor-{user}",
        "iat": now,
        "exp": now + 3600,
        "scope": "shop",
    }
    signed = b".".join(_part(each) for each in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + _text(hmac.digest(SECRET.encode(), signed, hashlib.sha256))).decode()


def _part(value: object) -> bytes:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")

"""``strangler explain``: which route and arm a request would get, and why."""

import dataclasses
import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.failures import BadInput, Unreachable
from strangler.cli.last_snapshot import LastSnapshot
from strangler.cli.options import DEFAULT_STATE, Admin, Json, State
from strangler.cli.screen import print_json, say, warn

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name, or a method, by RFC 9110 §5.6.2."""
_NEVER = re.compile(r"[\x00-\x20#]")
_WHY = {
    "no_route": "no route takes it, so it goes to the monolith",
    "killed": "the route is killed, so it goes to the monolith whatever its flag says",
    "stage_monolith": "the route is at stage monolith",
    "stage_shadow": "the route is at stage shadow, which the monolith answers",
    "stage_service": "the route is at stage service",
    "cohort": "the subject is in a cohort, which goes to the service regardless of the weight",
    "below_weight": "the subject's bucket is below the weight",
    "above_weight": "the subject's bucket is not below the weight",
    "no_subject": "the request has none of the route's sticky sources, so it goes to the monolith",
}


def explain(
    method: Annotated[str, typer.Argument(help="Such as GET.")],
    target: Annotated[str, typer.Argument(help="Path and query, such as /api/products/7?full=1.")],
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", help='A header, such as "X-User: u1"; can be repeated.')
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(help="What an authenticator would have found out, such as sub=u1; can be repeated."),
    ] = None,
    client: Annotated[str, typer.Option(help="The client's address.")] = "127.0.0.1",
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Say which route and arm a request gets, and why. Works from the last snapshot while control is down."""
    _check(method, target, client)
    headers = [_pair(text) for text in header or ()]
    claims = dict(_claim(text) for text in claim or ())
    try:
        question = {"method": method.upper(), "target": target, "headers": headers, "claims": claims, "client": client}
        document = AdminClient(admin, state).post("/explain", question)
    except Unreachable as error:
        if admin is not None:
            raise
        document = _offline(state, method.upper(), target, headers, claims, client, error)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _check(method: str, target: str, client: str) -> None:
    if not _TOKEN.fullmatch(method):
        raise BadInput(f"the method «{method}» must be one word, such as GET")
    if not target.startswith("/"):
        raise BadInput(f"the target {target} must begin with a slash, such as /api/products/7")
    if _NEVER.search(target):
        raise BadInput(f"the target «{target}» holds a space or «#», which no request does; write %20 or %23")
    try:
        ipaddress.ip_address(client)
    except ValueError:
        raise BadInput(f"--client {client}: write an address, such as 192.0.2.7") from None


def _pair(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _TOKEN.fullmatch(name.strip()):
        raise BadInput(f'--header «{text}» is no header; write --header "Name: value"')
    return name.strip(), value.strip()


def _claim(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--claim «{text}» is no claim; write --claim NAME=VALUE")
    return name, value


def _offline(
    state: Path,
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    claims: dict[str, str],
    client: str,
    error: Unreachable,
) -> dict[str, Any]:
    from strangler.routing.explain import AmbiguousPath  # noqa: PLC0415
    from strangler.routing.explain import explain as decide  # noqa: PLC0415

    last = LastSnapshot(state)
    warn(f"{error}; this is by the last snapshot, {last.snapshot.revision}, and the kills on disk")
    try:
        return dataclasses.asdict(decide(last.snapshot, last.killed, method, target, headers, client, claims))
    except AmbiguousPath as ambiguous:
        raise BadInput(str(ambiguous)) from ambiguous


def _show(document: dict[str, Any]) -> None:
    say(f"{document['arm']} ({document['upstream']})", style="bold")
    say(f"  route     {document['route']}")
    weight = f" at {document['weight']} %" if document["stage"] == "canary" else ""
    say(f"  stage     {document['stage']}{weight}")
    if document.get("subject") is not None:
        bucket = f", bucket {document['bucket']} of 10000" if document.get("bucket") is not None else ""
        say(f"  subject   {document['subject']}{bucket}")
    say(f"  reason    {document['reason']}: {_WHY.get(document['reason'], '')}")
    if document.get("mirror"):
        say("  mirrored  the service is asked too, and the answers are compared")

"""The text of a first strangler.yaml: commented, so that it can be gone on with by hand."""

import json
import re
from collections.abc import Iterator

from strangler.cli.operations import Operation, Survey

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS_OF_YAML = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def starter_file(monolith: str, survey: Survey, source: str | None) -> str:
    """YAML that ``strangler check`` accepts."""
    return "\n".join((*_head(monolith), *_routes(survey, source), ""))


def _head(monolith: str) -> Iterator[str]:
    yield "# Written by `strangler init`. `strangler check` names what is wrong in it, line by line."
    yield ""
    yield "# The application that answers whatever has not been moved."
    yield f"monolith: {_text(monolith)}"
    yield ""
    yield "# The services that take over. Name one in a route as `service: catalog` as soon as there is one."
    yield "# upstreams:"
    yield "#   catalog: {endpoints: [http://127.0.0.1:8091]}"
    yield ""
    yield "gateway:"
    yield "  listen: 127.0.0.1:8080    # for clients"
    yield "  admin: 127.0.0.1:8081     # for `strangler routes`, `flip` and so on, and http://127.0.0.1:8081/docs"
    yield "  health: 127.0.0.1:8082    # /livez and /readyz"
    yield ""


def _routes(survey: Survey, source: str | None) -> Iterator[str]:
    yield "# A route is what is moved as one; `strangler flip MODULE` moves all routes of a module together."
    yield "# `sticky: [header:X-User, cookie:session, address]` says by what a canary tells users apart; by default"
    yield "# it is the client's address. `writes` names the modules whose data a request may change."
    if not survey.operations:
        yield "# Requests that no route takes go to the monolith. For example:"
        yield "# routes:"
        yield "#   - name: products-get"
        yield '#     match: {path: "/api/products/{id}", methods: [GET]}'
        yield "#     module: catalog"
        yield "routes: []"
        return
    yield f"# One route per operation of {json.dumps(source)[1:-1]}."
    yield "routes:"
    for module in survey.modules:
        yield f"  # {module}"
        for operation in survey.operations:
            if operation.module == module:
                yield from _route(operation)
    for left_out in survey.left_out:
        yield f"  # left to the monolith: {json.dumps(f'{left_out.operation}: {left_out.why}')[1:-1]}"


def _route(operation: Operation) -> Iterator[str]:
    match = operation.match
    query = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in match.query)
    conditions = [
        f"{'prefix' if match.is_prefix else 'path'}: {json.dumps(match.path)}",
        f"methods: [{operation.method}]",
    ]
    conditions += [f"query: {{{query}}}"] if query else []
    yield f"  - name: {_text(operation.name)}"
    yield f"    match: {{{', '.join(conditions)}}}"
    yield f"    module: {_text(operation.module)}"
    if operation.is_write:
        yield f"    writes: [{_text(operation.module)}]"


def _text(value: str) -> str:
    """In quotes unless every reader of YAML takes it for text anyway."""
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML
    return value if is_plain else json.dumps(value)

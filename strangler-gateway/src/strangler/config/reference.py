"""Writes the configuration reference from the schema: ``python -m strangler.config.reference > configuration.md``."""

import json
import sys
from collections.abc import Callable
from typing import Any

from strangler.config.schema import schema

_HEAD = """\
# strangler.yaml

<!-- Made by `python -m strangler.config.reference`; edit strangler/config/schema/ instead. -->

`monolith: http://HOST:PORT` alone makes a complete configuration: every request goes to the monolith.
`strangler check` prints every error with its line, `strangler config schema` the JSON Schema for editors.

The file owns the topology: upstreams, routes, and what holds for the gateway. It may give a route its *first* stage;
from then on the store decides, and `strangler flip` changes it. A catch-all route to the monolith always stands last.

Times are in seconds. Words such as `off` and `on` are text, as in YAML 1.2. What is not known is refused, never
ignored. A change of topology is taken over by `POST /api/v1/config/reload` or at the next start, as a whole or not at
all.

Any key under `gateway` can be given in the environment: `STRANGLER_GATEWAY__WORKERS=4`,
`STRANGLER_GATEWAY__LIMITS__HEADER_COUNT=50`; lists as JSON. Options of the command line override both.
"""

_SECTIONS = (
    ("The file", ""),
    ("upstreams.NAME", "UpstreamSection"),
    ("upstreams.NAME.breaker", "BreakerSection"),
    ("upstreams.NAME.outlier", "OutlierSection"),
    ("upstreams.NAME.health", "HealthSection"),
    ("upstreams.NAME.retry_budget", "RetryBudgetSection"),
    ("upstreams.NAME.discovery", "DiscoverySection"),
    ("upstreams.NAME.tls", "UpstreamTlsSection"),
    ("gateway", "GatewaySection"),
    ("gateway.limits", "LimitsSection"),
    ("gateway.access_log", "AccessLogSection"),
    ("gateway.limit_store", "LimitStoreSection"),
    ("gateway.trace", "TraceSection"),
    ("gateway.shadow", "MirroringSection"),
    ("gateway.tls", "TlsSection"),
    ("gateway.tls.certificates[] and upstreams.NAME.tls.client", "CertificateSection"),
    ("routes[]", "RouteSection"),
    ("routes[].match", "MatchSection"),
    ("routes[].timeouts", "TimeoutsSection"),
    ("routes[].retries", "RetriesSection"),
    ("routes[].authenticate", "AuthenticateSection"),
    ("routes[].authorize", "AuthorizeSection"),
    ("routes[].rate_limits[]", "RateLimitSection"),
    ("routes[].shadow", "ShadowSection"),
    ("routes[].shadow.compare", "CompareSection"),
    ("routes[].shadow.compare.ignore[]", "IgnoreSection"),
    ("routes[].shadow.compare.arrays[]", "ArraySection"),
    ("routes[].shadow.redact", "RedactSection"),
    ("routes[].request", "RequestSection"),
    ("routes[].request.path", "PathSection"),
    ("routes[].request.headers, routes[].response.headers", "FieldsSection"),
    ("routes[].response", "ResponseSection"),
    ("routes[].response.shape", "JsonSection"),
    ("routes[].response.shape.variants[]", "VariantSection"),
    ("routes[].response.cookies", "CookiesSection"),
    ("routes[].arms", "ArmsSection"),
    ("routes[].arms.ARM", "ArmSection"),
    ("authentication.NAME", "AuthenticatorSection"),
    ("authentication.NAME.jwt", "JwtSection"),
    ("authentication.NAME.api_keys", "ApiKeysSection"),
    ("authentication.NAME.api_keys.keys[]", "ApiKeySection"),
    ("authentication.NAME.flask_session", "FlaskSessionSection"),
    ("authentication.NAME.django_session", "DjangoSessionSection"),
    ("authentication.NAME.ask", "AskSection"),
    ("identity", "IdentitySection"),
    ("identity.token", "IdentityTokenSection"),
    ("processes.NAME", "ProcessSection"),
)


def reference() -> str:
    """The page, in Markdown."""
    document = schema()
    parts = [_HEAD]
    for title, definition in _SECTIONS:
        section = document["$defs"][definition] if definition else document
        parts.append(f"## {title if not definition else f'`{title}`'}\n\n{_paragraph(section['description'])}\n")
        parts.append(_table(section))
    return "\n".join(parts)


def _table(section: dict[str, Any]) -> str:
    rows = ["| Key | Type | Default | Meaning | Example |", "| --- | --- | --- | --- | --- |"]
    required = section.get("required", [])
    for key, field in section["properties"].items():
        default = "required" if key in required else _default(field)
        example = f"`{_flow(field['examples'][0])}`" if "examples" in field else ""
        rows.append(f"| `{key}` | {_type(field)} | {default} | {_cell(field['description'])} | {example} |")
    return "\n".join(rows) + "\n"


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    if default in (None, "", {}, []) or isinstance(default, dict):
        return ""
    return f"`{_flow(default)}`"


def _type(field: dict[str, Any]) -> str:
    """A type in words, with the bounds of numbers."""
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"] if option.get("type") != "null")
    if "$ref" in field:
        return "mapping, see below"
    kind: str = field["type"]
    words: dict[str, Callable[[], str]] = {
        "array": lambda: f"list of {_type(field['items'])}",
        "object": lambda: f"mapping of names to {_type(field['additionalProperties'])}",
        "boolean": lambda: "`true` or `false`",
        "string": lambda: "text",
    }
    return words[kind]() if kind in words else kind + (_bounds(field) if "maximum" in field else "")


def _bounds(field: dict[str, Any]) -> str:
    least = _flow(field["minimum"]) if "minimum" in field else f"above {_flow(field['exclusiveMinimum'])}"
    return f", {least} to {_flow(field['maximum'])}"


def _flow(value: Any) -> str:
    """A value as YAML in one line."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _paragraph(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


if __name__ == "__main__":
    sys.stdout.write(reference())

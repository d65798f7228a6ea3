"""Writes the page on limits from the schema: ``python -m strangler.config.limits_reference > limits.md``."""

import json
import sys
from typing import Any

from strangler.config.schema import schema

_HEAD = """\
# Limits and timeouts

<!-- Made by `python -m strangler.config.limits_reference`; edit strangler/config/limits_reference.py instead. -->

What a client may send, how long it and the application may take, and whose default it is. Everything here is on from
the start but what says 0. Times are in seconds and exact to half a second. Beyond a bound of `shadow` a client is
answered as ever, and the request is not compared but counted under the heading that stands there.

"""

_ORIGINS = {
    "gateway.limits": {
        "target_bytes": ("414", "Kestrel and nginx: 8 KiB for the request line. RFC 9110 §4.1 asks for 8,000."),
        "header_count": ("431", "Envoy and Kestrel: 100."),
        "header_bytes": ("431", "Envoy: 60 KiB. Kestrel and nginx: 32 KiB."),
        "chunk_line_bytes": ("400", "Go net/http: 4 KiB."),
        "chunk_extension_bytes": ("400", "hyper: 16 KiB."),
        "trailer_count": ("400", "As many as header lines, as in Envoy."),
        "trailer_bytes": ("400", "hyper: 16 KiB."),
        "body_bytes": ("413", "Off, as in Envoy, HAProxy, Traefik and Caddy. nginx: 1 MiB. Kestrel: 28.6 MiB."),
        "body_rate": ("408", "Kestrel: 240 bytes per second."),
        "body_grace": ("408", "Kestrel: 5 s."),
        "header_timeout": ("408", "Kestrel: 30 s. nginx: 60 s."),
        "idle_timeout": ("closed", "Between nginx (75 s) and Kestrel (130 s)."),
        "connections": ("503", "Ours: at 8 KiB each 160 MB. Envoy advises 50,000 for a whole edge."),
        "connections_per_client": ("429", "Off, as everywhere: many people can share an address."),
        "tunnels": ("503", "Ours: half of the connections, so that requests always find one."),
        "drain_timeout": ("cut", "Kestrel and Kubernetes: 30 s."),
    },
    "routes[]": {
        "body_bytes": ("413", "As `gateway.limits.body_bytes`."),
    },
    "routes[].timeouts": {
        "response": ("504", "nginx: 60 s. Envoy: 15 s. YARP: 100 s."),
        "idle": ("408, 504 or cut", "nginx: 60 s. YARP: 100 s."),
        "request": ("504 or cut", "Off, as Envoy's has to be for streams (else 15 s): the other bounds see to stalls."),
        "tunnel_idle": ("closed with 1001", "HAProxy's and Envoy's examples for tunnels: 1 h."),
    },
    "upstreams.NAME": {
        "connect_timeout": ("504", "Envoy, HAProxy's examples: 5 s."),
        "idle_timeout": ("closed", "nginx: 60 s."),
        "max_connections": ("waits", "Ours, per endpoint and worker. Envoy: 1,024."),
        "max_pending": ("503", "Envoy: 1,024."),
        "pending_timeout": ("503", "Ours: twice the time to connect. HAProxy: as long as that."),
    },
    "gateway.shadow": {
        "waiting": ("`queue_full`", "Ours: a tenth of a second of a busy worker."),
        "waiting_bytes": ("`queue_full`", "Ours: so much memory a mirror is worth."),
    },
    "routes[].shadow": {
        "request_bytes": ("`request_over_cap`", "Ours: as much as a head may have."),
        "answer_bytes": ("`answer_over_cap`", "Envoy: 1 MiB."),
        "timeout": ("`candidate_timeout`", "Ours: whoever takes longer is not ready to answer users."),
        "max_age": ("`too_old`", "Ours."),
        "rate": ("`rate_capped`", "Ours: 2,000 comparisons in 20 s, and no load that a service would notice."),
    },
}
"""Per section and key: what happens beyond it, and where the default comes from."""

_DEFINITIONS = {
    "gateway.limits": "LimitsSection",
    "routes[]": "RouteSection",
    "routes[].timeouts": "TimeoutsSection",
    "upstreams.NAME": "UpstreamSection",
    "gateway.shadow": "MirroringSection",
    "routes[].shadow": "ShadowSection",
}

_FIXED = """\
## What is not a setting

| Bound | Value | Beyond it | Origin |
| --- | --- | --- | --- |
| Head of an application's answer | 64 KiB, 256 fields | 502 | Envoy: 60 KiB, 100 fields; but cookies are many. |
| Framing of an application's chunks | as above, by default | cut | As for clients. |
| Digits of a chunk size | 15 | 400 | 60 bits: it cannot overflow anywhere. |
| Bytes waiting for a slow side | 32 KiB each way | the other side is paused | Envoy at the edge: 32 KiB. |
| Bytes read at a time | 64 KiB | read next time | HAProxy: 16 KiB. nginx: 8 KiB. |
| Reading on after a refusal | 2 s | closed | nginx `lingering_timeout`: 5 s. |
| Connections told at once that there are too many | 256 | closed in silence | Ours. |
| The end of a WebSocket of which one side is gone | 5 s | cut | Ours. |

There is no least rate for reading an answer. What a slow reader costs is bounded otherwise: by the bytes that wait for
it, and by `idle`, in which it must have read *something*.
"""


def reference() -> str:
    """The page, in Markdown."""
    document = schema()
    parts = [_HEAD.rstrip("\n") + "\n"]
    for section, origins in _ORIGINS.items():
        fields = document["$defs"][_DEFINITIONS[section]]["properties"]
        rows = ["| Key | Default | Meaning | Beyond it | Origin |", "| --- | --- | --- | --- | --- |"]
        rows += [_row(key, fields[key], *origin) for key, origin in origins.items()]
        parts.append(f"## `{section}`\n\n" + "\n".join(rows) + "\n")
    return "\n".join((*parts, _FIXED))


def _row(key: str, field: dict[str, Any], beyond: str, origin: str) -> str:
    default = field.get("default")
    if isinstance(default, float) and default.is_integer():
        default = int(default)
    shown = f"`{json.dumps(default)}`" if default is not None else ""
    meaning = (
        field["description"]
        .partition("; beyond it")[0]
        .partition("; one more")[0]
        .partition("; else 408")[0]
        .partition("; then")[0]
        .rstrip(".")
    )
    return f"| `{key}` | {shown} | {meaning}. | {beyond} | {origin} |"


if __name__ == "__main__":
    sys.stdout.write(reference())

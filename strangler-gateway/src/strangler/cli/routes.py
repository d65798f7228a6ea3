"""``strangler routes``: every route with its flag and what it does to traffic."""

from typing import Any

from strangler.cli.admin_client import AdminClient
from strangler.cli.options import DEFAULT_STATE, Admin, Json, State
from strangler.cli.screen import console, print_json, say, table

_NUMBERS = ("weight", "service share", "monolith p95", "service p95", "requests")


def routes(state: State = DEFAULT_STATE, admin: Admin = None, as_json: Json = False) -> None:
    """List the routes: stage and weight, live share of traffic, 95th percentile per arm, requests."""
    document = AdminClient(admin, state).get("/routes")
    if as_json:
        print_json(document)
        return
    listing = table("route", "takes", "module", "stage", "killed", *_NUMBERS, right=_NUMBERS)
    for item in document["items"]:
        style = "red" if item["killed"] else None
        listing.add_row(*_cells(item), style=style)
    console().print(listing)
    windows = {item["live"]["window_seconds"] for item in document["items"] if item.get("live")}
    over = f" · traffic of the last {max(windows):g} s" if windows else ""
    say(f"revision {document['revision']}{over}")


def _cells(item: dict[str, Any]) -> list[str]:
    live = item.get("live") or {}
    weight = f"{item['weight']} %" if item["stage"] == "canary" else ""
    killed = "yes" if item["killed"] else ""
    numbers = (_share(live), _p95(live, "monolith"), _p95(live, "service"), str(live.get("requests", "")))
    return [item["name"], _takes(item["match"]), item["module"], item["stage"], killed, weight, *numbers]


def _takes(match: dict[str, Any]) -> str:
    methods = ",".join(sorted(match["methods"])) or "any"
    path = f"{match['path'].rstrip('/')}/…" if match["kind"] == "prefix" else match["path"]
    conditions = [*_pairs(match.get("headers"), ": "), *_pairs(match.get("query"), "=")]
    return " ".join([methods, path, *conditions])


def _pairs(conditions: Any, joint: str) -> list[str]:
    pairs = conditions.items() if isinstance(conditions, dict) else conditions or ()
    return [f"[{name}{joint}{value}]" for name, value in pairs]


def _share(live: dict[str, Any]) -> str:
    share = live.get("service_share")
    return f"{share * 100:.1f} %" if share is not None and live.get("requests") else "-"


def _p95(live: dict[str, Any], arm: str) -> str:
    value = (live.get(arm) or {}).get("p95_ms")
    return f"{value:.0f} ms" if value is not None else "-"

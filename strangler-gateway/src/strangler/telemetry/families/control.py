"""Metrics of control: the revision, the flags, the kills, and its lines to the others."""

from strangler.telemetry.family import Family

REVISION = Family("strangler_revision", "gauge", (), "The revision that every worker should have.")
WEIGHT = Family(
    "strangler_route_weight_percent",
    "gauge",
    ("route", "stage"),
    "The share of subjects that the flag sends to the service: 0 at monolith, 100 at service. Kills do not show here.",
)
KILLED = Family("strangler_route_killed", "gauge", ("route",), "1 for every route whose kill is in force.")
SUPERVISOR = Family(
    "strangler_supervisor_connected", "gauge", (), "1 if control has its line to the supervisor, else 0."
)
BUILD = Family("strangler_build_info", "gauge", ("version",), "Always 1; the version is in the label.")

"""strangler.yaml to a validated topology, every error with its line."""

from strangler.config.loaded import Loaded, Place, Process, Serve, Topology
from strangler.config.loading import load, load_text
from strangler.config.schema import schema
from strangler.config.weight import percent_from_weight, weight_from_percent

__all__ = [
    "Loaded",
    "Place",
    "Process",
    "Serve",
    "Topology",
    "load",
    "load_text",
    "percent_from_weight",
    "schema",
    "weight_from_percent",
]

"""The admin API: one file per resource, problem+json for every error."""

from strangler.control.api.app import create_app

__all__ = ["create_app"]

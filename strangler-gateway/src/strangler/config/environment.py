"""Overrides from the environment: ``STRANGLER_GATEWAY__WORKERS=4`` stands for ``gateway: {workers: 4}``."""

import os
from dataclasses import dataclass
from typing import Any

from strangler.config.document import Path as DocumentPath
from strangler.config.document import scalar_from_text
from strangler.model.errors import Problem

PREFIX = "STRANGLER_GATEWAY__"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the environment sets under ``gateway``, by key."""

    values: dict[str, Any]

    def variable(self, place: DocumentPath) -> str | None:
        """The variable that set the value at ``place``; None if the file did."""
        found: Any = {"gateway": self.values}
        for depth, part in enumerate(place):
            if not isinstance(found, dict):
                return _variable(place[1:depth])
            if part not in found:
                return None
            found = found[part]
        return None if isinstance(found, dict) else _variable(place[1:])

    def applied(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the overrides in it; neither is changed."""
        section = document.get("gateway", {})
        if not self.values or not isinstance(section, dict):
            return document
        return {**document, "gateway": _merged(section, self.values)}


def read_overrides() -> tuple[Overrides, tuple[Problem, ...]]:
    """Those of this process's environment, and what cannot be read of them."""
    if not any(name.upper().startswith(PREFIX) for name in os.environ):
        return Overrides({}), ()
    # Imported only where it is needed: it is a third of this package's import time.
    from pydantic.fields import FieldInfo  # noqa: PLC0415
    from pydantic_settings import (  # noqa: PLC0415
        BaseSettings,
        EnvSettingsSource,
        SettingsConfigDict,
        SettingsError,
    )

    from strangler.config.schema import GatewaySection  # noqa: PLC0415
    from strangler.config.schema.types import Section  # noqa: PLC0415

    class Environment(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="STRANGLER_", env_nested_delimiter="__")
        gateway: GatewaySection = GatewaySection()

    class Source(EnvSettingsSource):
        def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
            """A section may have a short form that is no JSON; what it may be is the schema's to judge."""
            is_section = isinstance(field.annotation, type) and issubclass(field.annotation, Section)
            if is_section and not str(value).lstrip().startswith("{"):
                return value
            return super().decode_complex_value(field_name, field, value)

    try:
        values = Source(Environment)().get("gateway", {})
    except SettingsError as error:
        return Overrides({}), (Problem(0, f"{PREFIX}*", f"{error}; write lists and mappings as JSON"),)
    return Overrides(_scalars(values)), ()


def _variable(place: DocumentPath) -> str:
    return PREFIX + "__".join(str(part).upper() for part in place)


def _scalars(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _scalars(item) for key, item in value.items()}
    return scalar_from_text(value) if isinstance(value, str) else value


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        inner = result.get(key)
        result[key] = _merged(inner, value) if isinstance(value, dict) and isinstance(inner, dict) else value
    return result

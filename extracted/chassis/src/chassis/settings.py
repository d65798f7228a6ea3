"""What every service can be told from its environment. A service subclasses this with a prefix of its own."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings

from chassis.shadow_turns import SHARE
from strangler_kit.marks import secret_of

LogLevel = Literal["debug", "info", "warning", "error"]


def _fetchable(source: str) -> str:
    if source.startswith(("http://", "https://", "file:")):
        return source
    if "://" in source:
        raise ValueError(f"{source!r} is neither http(s)://… nor a file")
    return Path(source).absolute().as_uri()


def _long_enough(secret: SecretStr) -> SecretStr:
    secret_of(secret.get_secret_value())
    return secret


KeySource = Annotated[str, AfterValidator(_fetchable)]


class ServiceSettings(BaseSettings):
    """Address, limits, logging and whose tokens to believe. Sizes are bytes, durations seconds."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535, description="0 takes any free port")
    log_level: LogLevel = "info"
    access_log: Path | None = Field(default=None, description="file that gets one JSON line per answered request")
    max_body_bytes: int = Field(default=65_536, ge=1)
    keep_alive: int = Field(default=75, ge=1, description="longer than the gateway keeps a connection for reuse")
    graceful_timeout: int = Field(default=10, ge=0, description="time that running requests get after SIGTERM")
    jwks: KeySource | None = Field(default=None, description="URL or file with the issuer's public keys")
    shadow_secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        default=None,
        validation_alias="STRANGLER_SHADOW_SECRET",
        description="what the gateway signs shadowed requests with; without it they are refused",
    )
    shadow_share: float = Field(
        default=SHARE, gt=0, le=1, description="part of the time in which shadowed requests may write, on SQLite"
    )
    token_issuer: str = Field(default="https://shop.example", description="the `iss` that a token must carry")
    token_audience: str = Field(default="shop", description="the `aud` that a token must carry")

    @property
    def shadow_key(self) -> bytes | None:
        """The secret for marks, if there is one."""
        return None if self.shadow_secret is None else secret_of(self.shadow_secret.get_secret_value())


Settings = TypeVar("Settings", bound=ServiceSettings)


def read_settings(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """Return the settings of the environment with what the command line gives on top (None: not given).

    Where something is wrong, each setting is named in a line on standard error, and the program ends with 2.
    """
    try:
        return kind(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        for found in error.errors(include_url=False):
            name = str(found["loc"][0])
            variable = name if name.isupper() else f"{prefix}{name}".upper()
            print(f"{variable}: {found['msg']}, not {found['input']!r}", file=sys.stderr)
        raise SystemExit(2) from None

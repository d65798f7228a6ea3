"""The shop's settings: environment variables, read once at start."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from strangler_kit.marks import secret_of


def _long_enough(secret: SecretStr) -> SecretStr:
    secret_of(secret.get_secret_value())
    return secret


class Settings(BaseSettings):
    """`DATABASE_URL` and `SHOP_*` variables. The defaults suit development."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", frozen=True, extra="ignore")

    database_url: Annotated[str, Field(validation_alias="DATABASE_URL")] = "sqlite:///shop.db"
    pool_size: int = 10
    """Connections that one process keeps; as many again may be opened under load."""
    threads: int = 8
    """Requests that one process handles at the same time."""
    issuer: str = "https://shop.example"
    audience: str = "shop"
    token_seconds: int = 3600
    session_seconds: int = 14 * 24 * 3600
    cookie_secure: bool = False
    """Set it wherever the shop is reached by TLS."""
    signing_key: SecretStr | None = None
    """Ed25519 private key, PEM. Without it one is made at first start and kept in the database, for all processes."""
    shadow_secret: Annotated[SecretStr, AfterValidator(_long_enough)] | None = Field(
        default=None, validation_alias=AliasChoices("SHOP_SHADOW_SECRET", "STRANGLER_SHADOW_SECRET")
    )
    """What a gateway signs its wish with to be told what a request writes. Without it nobody is told."""
    access_log: Path | None = None
    """File to which every process of the shop appends one line per request."""
    argon2_time_cost: int = 3
    argon2_memory_kib: int = 65_536
    argon2_parallelism: int = 4

    @property
    def shadow_key(self) -> bytes | None:
        return None if self.shadow_secret is None else secret_of(self.shadow_secret.get_secret_value())

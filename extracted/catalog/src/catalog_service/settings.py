"""The catalog service's settings: environment variables, read once at start."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sqlalchemy.engine import URL, make_url

from chassis.settings import KeySource, ServiceSettings

_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class Settings(ServiceSettings):
    """`DATABASE_URL` and `CATALOG_*` variables. The defaults suit development beside a shop on port 8090."""

    model_config = SettingsConfigDict(env_prefix="CATALOG_", frozen=True, extra="ignore")

    port: int = Field(default=8091, ge=0, le=65_535)
    database_url: str = Field(default="sqlite:///shop.db", validation_alias="DATABASE_URL")
    pool_size: int = Field(default=10, ge=1, description="connections kept; as many again may be opened under load")
    jwks: KeySource = Field(
        default="http://127.0.0.1:8090/.well-known/jwks.json", description="URL or file with the shop's public keys"
    )

    register_with: str | None = Field(default=None, description="URL of a gateway's admin API to register with")
    register_as: str | None = Field(
        default=None, description="HOST:PORT under which the gateway reaches this service; host and port if left out"
    )
    register_lease: float = Field(default=15.0, ge=1, le=3600, description="seconds of the registration's lease")

    @property
    def address(self) -> str:
        """Where a gateway reaches this service."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.register_as or f"{host}:{self.port}"

    @property
    def async_database_url(self) -> URL:
        """The same database, by a driver that does not block; a driver that the URL names itself is replaced."""
        url = make_url(self.database_url)
        return url.set(drivername=_ASYNC_DRIVERS.get(url.get_backend_name(), url.drivername))

"""The shape of strangler.yaml: one Pydantic model per section. What spans sections is checked in ``topology``."""

from strangler.config.schema.authentication import (
    IDENTITY_HEADERS,
    ApiKeysSection,
    AskSection,
    AuthenticateSection,
    AuthenticatorSection,
    AuthorizeSection,
    DjangoSessionSection,
    FlaskSessionSection,
    IdentitySection,
    JwtSection,
)
from strangler.config.schema.file import ConfigFile, ProcessSection, schema
from strangler.config.schema.gateway import GatewaySection
from strangler.config.schema.limits import LimitsSection
from strangler.config.schema.rate_limit import LimitStoreSection, RateLimitSection
from strangler.config.schema.resilience import HealthSection, RetriesSection
from strangler.config.schema.route import MatchSection, RouteSection, TimeoutsSection
from strangler.config.schema.shadow import CompareSection, MirroringSection, RedactSection, ShadowSection
from strangler.config.schema.telemetry import AccessLogSection, TraceSection
from strangler.config.schema.transform import (
    ArmSection,
    ArmsSection,
    CookiesSection,
    FieldsSection,
    JsonSection,
    PathSection,
    RequestSection,
    ResponseSection,
    ShapeSection,
    VariantSection,
)
from strangler.config.schema.upstream import UpstreamSection

__all__ = [
    "IDENTITY_HEADERS",
    "AccessLogSection",
    "ApiKeysSection",
    "ArmSection",
    "ArmsSection",
    "AskSection",
    "AuthenticateSection",
    "AuthenticatorSection",
    "AuthorizeSection",
    "CompareSection",
    "ConfigFile",
    "CookiesSection",
    "DjangoSessionSection",
    "FieldsSection",
    "FlaskSessionSection",
    "GatewaySection",
    "HealthSection",
    "IdentitySection",
    "JsonSection",
    "JwtSection",
    "LimitStoreSection",
    "LimitsSection",
    "MatchSection",
    "MirroringSection",
    "PathSection",
    "ProcessSection",
    "RateLimitSection",
    "RedactSection",
    "RequestSection",
    "ResponseSection",
    "RetriesSection",
    "RouteSection",
    "ShadowSection",
    "ShapeSection",
    "TimeoutsSection",
    "TraceSection",
    "UpstreamSection",
    "VariantSection",
    "schema",
]

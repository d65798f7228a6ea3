"""The parts of strangler.yaml that say what is changed on the way to an application and back."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from strangler.config.schema.types import HeaderName, HeaderValue, Section
from strangler.config.templates import check_prefix
from strangler.model.notation import read_json_path, read_value
from strangler.model.transform import MAX_SHAPED

JsonPath = Annotated[str, AfterValidator(lambda text: read_json_path(text) and text)]
VariableValue = Annotated[HeaderValue, AfterValidator(lambda text: read_value(text) and text)]
Name = Annotated[str, Field(min_length=1)]
Prefix = Annotated[str, AfterValidator(check_prefix)]


class PathSection(Section):
    """Another path than the client's; the query stays, and logs show the client's. One of the three."""

    strip_prefix: Prefix | None = Field(
        default=None, description="Leave this away at the beginning.", examples=["/api"]
    )
    replace_prefix: dict[Prefix, Prefix] | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="Put one beginning in the place of another.",
        examples=[{"/api/products": "/v2/items"}],
    )
    template: str | None = Field(
        default=None,
        min_length=1,
        description="Fill in this path; `{name}` is a parameter of the route's own path.",
        examples=["/items/{id}/details"],
    )


class FieldsSection(Section):
    """Header fields, changed in this order.

    Values may hold `{arm}`, `{client_address}`, `{host}`, `{path}`, `{request_id}` and `{route}`; braces are `{{` and
    `}}`. Fields that frame a message, belong to one connection, or are the gateway's own word cannot be changed.
    """

    remove: list[HeaderName] = Field(default=[], description="Take these away.", examples=[["X-Debug"]])
    set: dict[HeaderName, VariableValue] = Field(
        default={}, description="Give these one value, whatever they had.", examples=[{"X-Arm": "{arm}"}]
    )
    add: dict[HeaderName, VariableValue] = Field(
        default={}, description="Add a field, beside those of its name.", examples=[{"Vary": "Accept"}]
    )


class ShapeSection(Section):
    """Another shape of a JSON document, made in this order. Paths are names with dots, and go through lists."""

    pick: list[JsonPath] = Field(default=[], description="Keep nothing but these.", examples=[["id", "price.amount"]])
    drop: list[JsonPath] = Field(default=[], description="Leave these away.", examples=[["internal"]])
    rename: dict[JsonPath, Name] = Field(
        default={}, description="Give these another name, in their place.", examples=[{"price.amount": "value"}]
    )
    wrap: Name | None = Field(default=None, description="Put all of it under this name.", examples=["data"])


class VariantSection(ShapeSection):
    """A shape for requests with one of these values in a header or a query parameter."""

    header: HeaderName | None = Field(
        default=None, description="A request header; answers then say `Vary`.", examples=["X-Client"]
    )
    query: Name | None = Field(default=None, description="A query parameter, in place of a header.", examples=["view"])
    values: list[str] = Field(min_length=1, description="Its values; one is enough.", examples=[["mobile"]])


class JsonSection(ShapeSection):
    """The shape of an arm's JSON answers with a status of 200 to 203.

    Such answers are collected, so they have a bound. Their ETag is passed on as a weak one; the application is asked
    for no compression and no ranges. All else that the gateway cannot shape (longer, compressed, no JSON, partial) is
    answered 502, or passed on as it is where `otherwise` says so. Numbers keep every digit.
    """

    variants: list[VariantSection] = Field(
        default=[],
        description="Shapes for some requests; the first that fits is taken in place of the shape beside it.",
        examples=[[{"header": "X-Client", "values": ["mobile"], "pick": ["id"]}]],
    )
    max_bytes: int = Field(
        default=MAX_SHAPED, ge=1, le=16_777_216, description="Longest answer that is shaped.", examples=[262144]
    )
    otherwise: Literal["refuse", "pass"] = Field(
        default="refuse",
        description="What becomes of answers that cannot be shaped: 502, or passed on as they are. What is dropped for "
        "secrecy needs `refuse`.",
        examples=["refuse"],
    )


class CookiesSection(Section):
    """Attributes of cookies that an application sets."""

    domains: dict[Name, str] = Field(
        default={},
        description="Domains by what they become; an empty text removes the attribute.",
        examples=[{"catalog.internal": ""}],
    )
    paths: dict[Prefix, Prefix] = Field(
        default={}, description="Beginnings of paths by what they become.", examples=[{"/": "/api"}]
    )


class RequestSection(Section):
    """What is changed on the way to an application."""

    path: PathSection | None = Field(default=None, description="Another path.", examples=[{"strip_prefix": "/api"}])
    headers: FieldsSection | None = Field(
        default=None, description="Other header fields.", examples=[{"set": {"X-Arm": "{arm}"}}]
    )


class ResponseSection(Section):
    """What is changed on the way back to the client."""

    headers: FieldsSection | None = Field(
        default=None, description="Other header fields.", examples=[{"remove": ["Server"]}]
    )
    shape: JsonSection | None = Field(
        default=None, description="Another shape of JSON.", examples=[{"drop": ["internal"]}]
    )
    locations: bool | None = Field(
        default=None,
        description="Whether `Location`, `Content-Location` and `Refresh` that name the application's own address "
        "become paths; `true` for the service arm and `false` for the monolith's if left out.",
        examples=[True],
    )
    cookies: CookiesSection | None = Field(
        default=None,
        description="Other domains and paths of cookies.",
        examples=[{"domains": {"catalog.internal": ""}}],
    )


class ArmSection(Section):
    """What is changed for one arm only: each key stands in the place of the route's own."""

    request: RequestSection = Field(
        default=RequestSection(), description="On the way there.", examples=[{"path": {"strip_prefix": "/api"}}]
    )
    response: ResponseSection = Field(
        default=ResponseSection(), description="On the way back.", examples=[{"locations": False}]
    )


class ArmsSection(Section):
    """The two arms, where they differ."""

    monolith: ArmSection = Field(
        default=ArmSection(), description="The monolith's.", examples=[{"response": {"locations": True}}]
    )
    service: ArmSection = Field(
        default=ArmSection(), description="The service's.", examples=[{"request": {"path": {"strip_prefix": "/api"}}}]
    )

"""The parts of strangler.yaml that say how a route's answers are compared before its service answers anybody."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from strangler.config.nearness import did_you_mean
from strangler.config.schema.types import HeaderName, Seconds, SecretText, Section
from strangler.model.shadow import KNOWN_DIFFERENCES, Comparing, Redaction

_FIELD = re.compile(
    r"status|(?:header\.(?:[!#$%&'+^_`|~0-9a-z-][!#$%&'+.^_`|~0-9a-z-]*|\*)|(?:body|effects)(?:\[\])*(?:\..+)?)"
)
_MOST_BYTES = 16 * 1024 * 1024

_SHADOW_BYTES = Annotated[int, Field(ge=0, le=_MOST_BYTES)]


def _field(text: str) -> str:
    if re.search(r"\[\d+\]", text):
        raise ValueError(f"«{text}»: a field stands for every position of an array; write [] in place of the number")
    if not _FIELD.fullmatch(text) or re.search(r"\s\Z|\.\.|\.\Z|[\x00-\x1f\x7f]", text):
        raise ValueError(
            f"«{text}» is not a field of an answer; write status, header.NAME in small letters, body.PATH such as "
            "body.items[].price, or effects.PATH"
        )
    if "*" in text.removesuffix("*"):
        raise ValueError(f"«{text}»: a «*» stands at the end only, and takes everything below")
    return text


def _one_field(text: str) -> str:
    if _field(text).endswith("*"):
        raise ValueError(f"«{text}»: a single field is meant here; remove the «*»")
    return text


def _array(text: str) -> str:
    if not _one_field(text).startswith(("body", "effects")):
        raise ValueError(f"«{text}» is not an array; write body.PATH such as body.items")
    if text.endswith("[]"):
        raise ValueError(f"«{text}»: the array itself is meant here; remove the [] at its end")
    return text


def _normaliser(text: str) -> str:
    if text not in KNOWN_DIFFERENCES:
        raise ValueError(f"«{text}» is not a normaliser{did_you_mean(text, KNOWN_DIFFERENCES)}")
    return text


def _day(text: str) -> str:
    try:
        if len(text) != 10:
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"«{text}» is not a date; write YYYY-MM-DD") from None
    return text


def _pattern(text: str) -> str:
    try:
        empty = re.compile(text).search("") is not None
    except re.error as error:
        raise ValueError(f"«{text}» is not a regular expression: {error}") from None
    if empty:
        raise ValueError(f"«{text}» fits nothing at all too, so that it would be found everywhere")
    return text


FieldPath = Annotated[str, AfterValidator(_field)]
OneField = Annotated[str, AfterValidator(_one_field)]
Lower = Annotated[HeaderName, AfterValidator(str.lower)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_DEFAULTS = Comparing()
_KEPT = Redaction()


class IgnoreSection(Section):
    """A field whose differences do not count. They are reported as ignored, with their number."""

    field: FieldPath = Field(
        description="`status`, `header.NAME`, `body.PATH` or `effects.PATH`, positions of arrays as `[]`; a `*` at the "
        "end takes everything below.",
        examples=["body.items[].updated_at"],
    )
    reason: str = Field(min_length=1, max_length=500, description="Why; it stands in reports.", examples=["a clock"])
    until: Annotated[str, AfterValidator(_day)] | None = Field(
        default=None, description="The date from which on it counts again.", examples=["2027-03-31"]
    )


class ArraySection(Section):
    """How the elements of an array find their counterparts; by their positions unless it stands here."""

    field: Annotated[str, AfterValidator(_array)] = Field(description="The array.", examples=["body.items"])
    by: Literal["index", "set", "key"] = Field(
        default="index",
        description="`index`: by position. `set`: by equality, whatever their order. `key`: by the member `key`.",
        examples=["key"],
    )
    key: str | None = Field(
        default=None, min_length=1, description="The member that tells elements apart.", examples=["id"]
    )


class CompareSection(Section):
    """What counts as a difference between the monolith's answer and the service's."""

    normalise: list[Annotated[str, AfterValidator(_normaliser)]] = Field(
        default=list(_DEFAULTS.normalise),
        description="Known differences between web frameworks that are taken for equal, and counted: "
        f"{', '.join(f'`{name}`' for name in KNOWN_DIFFERENCES)}.",
        examples=[["date-notation", "trailing-slash-redirect"]],
    )
    headers: list[Lower] = Field(
        default=list(_DEFAULTS.headers),
        description="Headers of answers that are compared, `*` for all; differences in others are counted as ignored.",
        examples=[["content-type", "etag", "location"]],
    )
    ignore: list[IgnoreSection] = Field(
        default=[],
        description="Fields whose differences do not count.",
        examples=[[{"field": "body.items[].updated_at", "reason": "a clock", "until": "2027-03-31"}]],
    )
    arrays: list[ArraySection] = Field(
        default=[],
        description="Arrays whose elements are not told apart by position.",
        examples=[[{"field": "body.items", "by": "key", "key": "id"}]],
    )
    tolerances: dict[OneField, Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]] = Field(
        default={},
        description="Fields and by how much two numbers, or two times in seconds, may differ in them.",
        examples=[{"body.created_at": 2}],
    )
    generated: list[OneField] = Field(
        default=[],
        description="Fields with identifiers that each side makes for itself. They are not compared, but one must "
        "stand for the other throughout an answer. Integers do so within one field; `FIELD as WORD` joins several.",
        examples=[["body.id as order", "body.items[].order_id as order"]],
    )
    max_bytes: int = Field(
        default=_DEFAULTS.max_bytes,
        ge=1024,
        le=64 * 1024 * 1024,
        description="Bytes of a content that are looked at, after decompression.",
        examples=[2097152],
    )
    max_depth: int = Field(
        default=_DEFAULTS.max_depth, ge=1, le=200, description="Levels of a document.", examples=[64]
    )
    max_values: int = Field(
        default=_DEFAULTS.max_values, ge=1, le=10_000_000, description="Values of a document.", examples=[50000]
    )
    max_differences: int = Field(
        default=_DEFAULTS.max_differences,
        ge=1,
        le=10_000,
        description="Differences that are told of one pair of answers.",
        examples=[100],
    )


class RedactSection(Section):
    """What of exchanges may be kept as samples. Values of all other headers and query parameters are not.

    Tokens, e-mail addresses and card numbers are replaced wherever they stand, and so are fields of bodies whose names
    say that they are secret.
    """

    keep_headers: list[Lower] = Field(
        default=list(_KEPT.headers),
        description="Headers whose values are kept; `content-type` always is.",
        examples=[["accept", "etag"]],
    )
    keep_query: list[Annotated[str, Field(min_length=1)]] = Field(
        default=list(_KEPT.query), description="Query parameters whose values are kept.", examples=[["page", "sort"]]
    )
    fields: list[FieldPath] = Field(
        default=[], description="Fields of bodies whose values are replaced too.", examples=[["body.customer.*"]]
    )
    patterns: list[Annotated[str, Field(max_length=500), AfterValidator(_pattern)]] = Field(
        default=[],
        max_length=50,
        description="Regular expressions; what fits is replaced wherever it stands.",
        examples=[["CUST-[0-9]{6}"]],
    )


class ShadowSection(Section):
    """How a route is shadowed, at stage `shadow` and beside `canary`. Routes can share a section by a YAML anchor.

    Clients are answered by the monolith, and never wait for any of it.
    """

    sample: Share = Field(default=1.0, description="The share of its requests that are mirrored.", examples=[0.1])
    noise: Share = Field(
        default=0.05,
        description="The share of the compared for which the monolith is asked a second time: what differs from itself "
        "is noise. Where the answers differ it is asked in any case.",
        examples=[0.05],
    )
    at_most: Annotated[float, Field(gt=0, le=0.5, allow_inf_nan=False)] = Field(
        default=0.005,
        description="The share of differing requests that must be ruled out for «equivalent».",
        examples=[0.001],
    )
    alpha: Annotated[float, Field(gt=0, le=0.1, allow_inf_nan=False)] = Field(
        default=0.001,
        description="How likely «different» may be where nothing differs, however often it is looked at.",
        examples=[0.001],
    )
    request_bytes: _SHADOW_BYTES = Field(
        default=65_536, description="Longest body of a request that is mirrored.", examples=[65536]
    )
    answer_bytes: _SHADOW_BYTES = Field(
        default=1_048_576, description="Longest answer that is compared.", examples=[1048576]
    )
    timeout: Seconds = Field(default=5.0, description="Seconds that the service may take.", examples=[5])
    max_age: Seconds = Field(
        default=10.0,
        description="Seconds after the monolith's answer in which the service must be asked; later the data may have "
        "changed.",
        examples=[10],
    )
    rate: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] = Field(
        default=100.0, description="Requests per second that the service is asked at most.", examples=[50]
    )
    writes: bool = Field(
        default=False,
        description="Whether other methods than GET, HEAD and OPTIONS are mirrored. The service must run on the "
        "chassis, which rolls them back, and `gateway.shadow` needs a `secret`.",
        examples=[False],
    )
    samples: int = Field(
        default=20, ge=0, le=1000, description="Pairs of answers that are kept per field, the newest.", examples=[20]
    )
    compare: CompareSection = Field(
        default=CompareSection(), description="What counts as a difference.", examples=[{"generated": ["body.id"]}]
    )
    redact: RedactSection = Field(
        default=RedactSection(), description="What of samples may be kept.", examples=[{"fields": ["body.name"]}]
    )


class MirroringSection(Section):
    """How workers hand exchanges of shadowed routes to the comparator. What finds no room is counted, not compared."""

    waiting: int = Field(
        default=2048, ge=1, le=1_000_000, description="Exchanges that may wait, per worker.", examples=[2048]
    )
    waiting_bytes: int = Field(
        default=33_554_432,
        ge=65_536,
        le=1 << 32,
        description="Their bytes, those of requests under way included, per worker.",
        examples=[33554432],
    )
    secret: SecretText | None = Field(
        default=None,
        description="Where the secret of the marks is read from, by which monolith and service know the gateway; 32 "
        "bytes or more. They have it in `STRANGLER_SHADOW_SECRET`.",
        examples=["env:STRANGLER_SHADOW_SECRET"],
    )

"""The small types of strangler.yaml: what a name, a duration or an address may be, and how it is said to be wrong."""

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from strangler.config.addresses import parse_endpoint, parse_fetch_url, parse_host, parse_listener, parse_ready_url
from strangler.config.weight import weight_from_percent
from strangler.model.flag import Stage

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token by RFC 9110 §5.6.2: what a header's or cookie's name and a method may be."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"«{text}» is not a name: letters, digits, «.», «_» and «-», at most 100, a letter or digit first"
        )
    return text


def _method(text: str) -> str:
    if not _TOKEN.fullmatch(text) or text != text.upper():
        raise ValueError(f"«{text}» is not a method; write it in capitals, such as GET")
    return text


def check_header_name(text: str) -> str:
    """A field's name (RFC 9110 §5.1)."""
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"«{text}» is not a header name: letters, digits and «-», no spaces or colons")
    return text


def _header_value(text: str) -> str:
    if not _FIELD_VALUE.fullmatch(text) or text != text.strip():
        raise ValueError("a header's value has no control characters, and no spaces around it")
    return text


def _sticky(text: str) -> str:
    kind, colon, name = text.partition(":")
    if kind == "token" and colon and _WORD.fullmatch(name):
        return text
    if text != "address" and not (kind in {"header", "cookie"} and colon and _TOKEN.fullmatch(name)):
        raise ValueError(f"«{text}» is not a sticky source; write header:NAME, cookie:NAME, token:CLAIM or address")
    return text


def _word(text: str) -> str:
    if not _WORD.fullmatch(text):
        raise ValueError(f"«{text}» is not a word: 1 to 200 visible ASCII characters, no spaces, quotes or backslashes")
    return text


def _cookie_name(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"«{text}» is not a name of a cookie or parameter: letters, digits, «_» and «-»")
    return text


def _secret(text: str) -> str:
    """What is wrong is never shown: it may be the secret itself."""
    kind, colon, place = text.partition(":")
    if not colon or kind not in {"env", "file"} or not place:
        raise ValueError("a secret is not written here; write env:NAME or file:PATH, where the workers read it from")
    if kind == "env" and not _VARIABLE.fullmatch(place):
        raise ValueError("what follows «env:» must be the name of an environment variable")
    return text


def _origin(text: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", text):
        raise ValueError(f"«{text}» is not an origin; write SCHEME://HOST, such as https://app.example.com")
    return text.lower()


def _sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise ValueError("a SHA-256 is 64 hexadecimal digits in small letters; `strangler auth new-key` prints one")
    return text


def stage(text: str) -> str:
    """A first stage, by its name."""
    if text == Stage.RETIRED:
        raise ValueError(f"the stage «{text}» is not available yet; use monolith, shadow, canary or service")
    if text not in set(Stage):
        raise ValueError(f"«{text}» is not a stage; use monolith, shadow, canary or service")
    return text


def _percentage(value: Any) -> Any:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        weight_from_percent(value)
        return str(value)
    return value


def _worker_count(value: Any) -> Any:
    return 0 if value == "auto" else value


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"«{text}» is not a network in CIDR notation, such as 10.0.0.0/8 ({error})") from None


def store_url(text: str) -> str:
    """A database URL that the store understands."""
    if not text.startswith(("sqlite:///", "postgresql://")):
        raise ValueError("a store is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    return text


Name = Annotated[str, AfterValidator(_name)]
Method = Annotated[str, AfterValidator(_method)]
HeaderName = Annotated[str, AfterValidator(check_header_name)]
HeaderValue = Annotated[str, AfterValidator(_header_value)]
StickyText = Annotated[str, AfterValidator(_sticky)]
Word = Annotated[str, AfterValidator(_word)]
CookieName = Annotated[str, AfterValidator(_cookie_name)]
SecretText = Annotated[str, AfterValidator(_secret)]
Origin = Annotated[str, AfterValidator(_origin)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
FetchUrl = Annotated[str, AfterValidator(parse_fetch_url)]
Percentage = Annotated[str, BeforeValidator(_percentage, json_schema_input_type=float | str)]
WorkerCount = Annotated[int, BeforeValidator(_worker_count, json_schema_input_type=int | Literal["auto"])]
Network = Annotated[str, AfterValidator(_network)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
EndpointUrl = Annotated[str, AfterValidator(lambda text: parse_endpoint(text) and text)]
HostName = Annotated[str, AfterValidator(parse_host)]
Listener = Annotated[str, AfterValidator(lambda text: parse_listener(text) and text)]
ReadyUrl = Annotated[str, AfterValidator(parse_ready_url)]


class Section(BaseModel):
    """Strict: nothing unknown, and a number in quotes is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

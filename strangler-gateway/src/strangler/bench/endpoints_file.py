"""A file of endpoints, in YAML, to what is measured; every error with its line."""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from strangler.bench.endpoint import MOST_TARGETS, Endpoint, targets
from strangler.config.document import Document, Report
from strangler.config.document import Path as DocumentPath
from strangler.config.messages import message
from strangler.config.schema.shadow import CompareSection
from strangler.config.schema.types import Section
from strangler.config.shadow import build_comparing
from strangler.model.errors import ConfigError, Problem
from strangler.model.shadow import Comparing
from strangler.shadow.answer import Question

_REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[\x21-\x7e]*)")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class EndpointSection(Section):
    """One endpoint."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    request: Annotated[str, Field(max_length=2_000)]
    headers: dict[str, str] = Field(default_factory=dict)
    json_: Any = Field(default=None, alias="json")
    text: str | None = None
    status: Annotated[int, Field(ge=200, le=599)] = 200
    why: str = ""


class EndpointsFile(Section):
    """What stands in the file."""

    form: Literal[1] = 1
    endpoints: Annotated[list[EndpointSection], Field(min_length=1, max_length=100)]
    compare: CompareSection = CompareSection()


def load(path: Path) -> tuple[tuple[Endpoint, ...], Comparing]:
    """The endpoints, and by which rules answers are compared. Raises ``ConfigError`` with every problem."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise _refused(path, Problem(0, "(file)", f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError as error:
        raise _refused(path, Problem(0, "(file)", f"not UTF-8: byte {error.start}")) from None
    document = Document(text)
    problems = list(document.problems)

    def report(place: DocumentPath, words: str) -> None:
        problems.append(document.problem(place, words))

    if not problems:
        found = _built(document.value, report)
    if problems or found is None:
        raise _refused(path, *sorted(problems, key=lambda problem: problem.line))
    return found


def _refused(path: Path, *problems: Problem) -> ConfigError:
    return ConfigError(str(path), problems)


def _built(value: Any, report: Report) -> tuple[tuple[Endpoint, ...], Comparing] | None:
    if not isinstance(value, dict):
        report((), "the file must be a mapping; write endpoints: and a list of {name, request} below it")
        return None
    try:
        file = EndpointsFile.model_validate(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            wrong = tuple(part for part in detail["loc"] if part != "[key]")
            report(wrong, message(wrong, detail, EndpointsFile))
        return None
    names = [section.name for section in file.endpoints]
    endpoints = []
    for number, section in enumerate(file.endpoints):
        place: DocumentPath = ("endpoints", number)
        if section.name in names[:number]:
            report((*place, "name"), f"«{section.name}» stands here a second time; give it a name of its own")
        try:
            endpoints.append(_endpoint(section))
        except ValueError as error:
            report(place, str(error))
    return tuple(endpoints), build_comparing(file.compare, ("compare",), report)


def _endpoint(section: EndpointSection) -> Endpoint:
    """Raises ``ValueError`` with the remedy."""
    found = _REQUEST.fullmatch(section.request)
    if found is None:
        raise ValueError(f"«{section.request}» is not a request; write a method and a path, such as GET /products/1")
    if found[1] == "HEAD":
        raise ValueError("HEAD has no body to wait for, so that it cannot be measured here; write GET")
    if section.json_ is not None and section.text is not None:
        raise ValueError("there are «json» and «text»; a request has one body")
    fields = [(name.encode(), _value(name, text)) for name, text in section.headers.items()]
    body = b""
    if section.json_ is not None:
        body = json.dumps(section.json_, ensure_ascii=False).encode()
        if not any(name.lower() == b"content-type" for name, _ in fields):
            fields.append((b"Content-Type", b"application/json"))
    elif section.text is not None:
        body = section.text.encode()
    questions = tuple(Question(found[1].encode(), target.encode(), tuple(fields), body) for target in targets(found[2]))
    return Endpoint(section.name, questions[:MOST_TARGETS], frozenset((section.status,)), section.why)


def _value(name: str, text: str) -> bytes:
    if not _NAME.fullmatch(name):
        raise ValueError(f"«{name}» is not a header's name")

    def variable(found: re.Match[str]) -> str:
        value = os.environ.get(found[1])
        if value is None:
            raise ValueError(f"the header {name} needs the environment variable {found[1]}, which is not set")
        return value

    value = _VARIABLE.sub(variable, text)
    if not re.fullmatch(r"[\x20-\x7e\t]*", value):
        raise ValueError(f"the value of the header {name} is not plain text on one line")
    return value.encode()

"""What pydantic found wrong in a file, in the words of those who write such files."""

import types
import typing
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from strangler.config.document import Path as DocumentPath
from strangler.config.nearness import did_you_mean


def message(place: DocumentPath, details: ErrorDetails, file: type[BaseModel]) -> str:
    """What is wrong in the words of the users of a file with this schema."""
    given = details["input"]
    match details["type"]:
        case "missing":
            return f"«{place[-1]}» is missing"
        case "extra_forbidden":
            known = _keys_at(file, place[:-1])
            return f"the key «{place[-1]}» is not known here{did_you_mean(str(place[-1]), known)}"
        case "value_error":
            return str(details["ctx"]["error"])
        case "string_type" if isinstance(given, bool | int | float):
            return f'must be text; write it in quotes: "{str(given).lower() if isinstance(given, bool) else given}"'
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"must be a mapping of keys and values{_shown(given)}"
        case _:
            text = details["msg"].replace("Input should be", "must be")
            return f"{text[:1].lower()}{text[1:]}{_shown(given)}"


def _shown(given: object) -> str:
    if given is None:
        return ", but there is nothing"
    if isinstance(given, dict | list):
        return f", not a {'mapping' if isinstance(given, dict) else 'list'}"
    return f", not {str(given)[:60]!r}" if isinstance(given, str) else f", not {given}"


def _keys_at(file: type[BaseModel], place: DocumentPath) -> list[str]:
    """The keys that may stand at a place, found by walking the models' annotations."""
    annotation: Any = file
    for part in place:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = field.annotation if field else None
        else:
            annotation = (typing.get_args(annotation) or (None,))[-1]
        if isinstance(annotation, types.UnionType):
            annotation = typing.get_args(annotation)[0]
    return list(annotation.model_fields) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []

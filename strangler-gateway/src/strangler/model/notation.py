"""Two small notations within configured texts: paths into JSON documents, and header values with variables in them."""

import re

VARIABLES = ("arm", "client_address", "host", "path", "request_id", "route")
"""What a header value may stand for: facts of a request, each of them checked bytes."""
_DOT = re.compile(r"(?<!\\)\.")
_PART = re.compile(r"\{\{|\}\}|\{([a-z_]*)\}|[{}]")


def read_json_path(text: str) -> list[str]:
    r"""The names of a path. A dot within a name is written ``\.``. Raises ``ValueError``."""
    names = [name.replace("\\.", ".") for name in _DOT.split(text)]
    if not all(names):
        raise ValueError(f"«{text}» is not a path: names with dots between them, such as price.amount")
    return names


def read_value(text: str) -> list[bytes | str]:
    """A header value's parts: bytes for what stands as it is, text for the name of a variable.

    ``{{`` and ``}}`` are braces. Raises ``ValueError`` for a variable that there is not, and for a single brace.
    """
    parts: list[bytes | str] = []
    end = 0
    for match in _PART.finditer(text):
        parts.append(text[end : match.start()].encode("latin-1"))
        end = match.end()
        if match[0] in {"{{", "}}"}:
            parts.append(match[0][:1].encode())
        elif match[1] in VARIABLES:
            parts.append(match[1])
        else:
            known = ", ".join(f"{{{name}}}" for name in VARIABLES)
            raise ValueError(f"«{match[0]}» is not a variable; there are {known}, and {{{{ and }}}} for braces")
    parts.append(text[end:].encode("latin-1"))
    return parts

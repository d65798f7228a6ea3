"""Path templates and prefixes: what may stand in them, and when two of them mean the same."""

import re

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NEVER = re.compile(r"[?#;\\%\x00-\x20\x7f]")


def check_template(path: str) -> str:
    """Return the template; raises ``ValueError`` if no request could match it, or if it is not well formed."""
    _check_path(path)
    names: set[str] = set()
    for segment in path.split("/")[1:]:
        parameter = _PARAMETER.fullmatch(segment)
        if parameter is None and ("{" in segment or "}" in segment):
            raise ValueError(
                f"«{segment}»: a parameter is a whole segment, such as {{id}}, with a name of letters, digits and «_»"
            )
        if parameter is not None:
            if parameter[1] in names:
                raise ValueError(f"the parameter {segment} stands twice; give each a name of its own")
            names.add(parameter[1])
    return path


def check_prefix(path: str) -> str:
    """Return the prefix without a trailing slash, which means nothing; raises ``ValueError`` likewise."""
    _check_path(path)
    if "{" in path or "}" in path:
        raise ValueError("a prefix has no parameters; use «path» for a template, or a shorter prefix")
    return path.rstrip("/") or "/"


def shape(path: str) -> str:
    """The template without its parameters' names: two templates of one shape take the same paths."""
    return _PARAMETER.sub("{}", path)


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise ValueError(f"«{path}» must start with «/»")
    odd = _NEVER.search(path)
    if odd:
        raise ValueError(
            f"«{odd[0]}» may not stand in a path here: write the decoded path, without query, fragment or parameters"
        )
    if "//" in path or any(segment in {".", ".."} for segment in path.split("/")):
        raise ValueError(f"«{path}» has empty or dot segments, which no request keeps")

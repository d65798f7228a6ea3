"""What stands beside speed: what each implementation has built in, and how much its code is, counted from this code."""

import ast
import io
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from yardstick.frameworks.contract import ROOT

_SHOP = ROOT / "monolith/src/shop/web"
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER,
    tokenize.ENCODING,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of one implementation."""

    name: str
    package: Path
    """Its code, but for what all of them share."""
    framework: str
    """The package whose names are counted."""
    asynchronous: str
    documented: str
    validates: str
    fit_for: str


FACES = (
    Face(
        "flask", _SHOP / "flask_app", "flask",
        "no: a thread per request", "no: by extensions", "no: by a library (here pydantic)",
        "small and middling applications whose parts are chosen one by one",
    ),
    Face(
        "django", _SHOP / "django_app", "django",
        "views yes, its ORM by threads", "no: by extensions", "forms, of HTML and of documents",
        "applications that want accounts, an administration and an ORM from one hand",
    ),
    Face(
        "fastapi", _SHOP / "fastapi_app", "fastapi",
        "yes", "yes: OpenAPI", "yes: by types (pydantic)",
        "APIs with a contract, and requests that wait for others",
    ),
    Face(
        "django-orm", ROOT / "benchmarks/src/yardstick/frameworks/django_orm", "django",
        "views yes, its ORM by threads", "no: by extensions", "forms, of HTML and of documents",
        "the same, as its own users write it: models and forms in place of the shop's use cases",
    ),
    Face(
        "catalog-service", ROOT / "extracted/catalog/src/catalog_service", "fastapi",
        "yes", "yes: OpenAPI", "yes: by types (pydantic)",
        "one module of its own, with data access and all, moved out of the monolith",
    ),
)  # fmt: skip
COLUMNS = (
    "implementation", "async", "generated documentation", "validation built in", "lines of code", "endpoints",
    "lines per endpoint", "names of the framework", "fit for",
)  # fmt: skip


def rows(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """One line per implementation for ``COLUMNS``."""
    wanted = set(names)
    return tuple(_row(face) for face in FACES if face.name in wanted)


def _row(face: Face) -> tuple[str, ...]:
    sources = [file.read_text() for file in sorted(face.package.rglob("*.py"))]
    lines = sum(map(lines_of_code, sources))
    endpoints = sum(map(_endpoints, sources))
    names = set().union(*(names_of(source, face.framework) for source in sources))
    per = f"{lines / endpoints:.1f}" if endpoints else "–"
    return (
        face.name, face.asynchronous, face.documented, face.validates, str(lines), str(endpoints), per, str(len(names)),
        face.fit_for,
    )  # fmt: skip


def lines_of_code(source: str) -> int:
    """Lines with code on them: no comment, no blank line, no docstring."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    return len(found - _lines_of_docstrings(source))


def _lines_of_docstrings(source: str) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            constant = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                found.update(range(constant.lineno, (constant.end_lineno or constant.lineno) + 1))
    return found


def names_of(source: str, framework: str) -> set[str]:
    """What it imports of a framework, and of what belongs to it."""
    belonging = {framework, "starlette", "werkzeug"} if framework != "django" else {"django"}
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in belonging:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.partition(".")[0] in belonging)
    return found


_VERBS = frozenset(("get", "post", "put", "patch", "delete"))


def _endpoints(source: str) -> int:
    """Pairs of a method and a path: functions decorated with one in Flask and FastAPI, methods of Django's views."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    decorators = [
        each.func
        for function in functions
        for each in function.decorator_list
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
    ]
    views = [
        method
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return sum(each.attr in _VERBS for each in decorators) + sum(method.name in _VERBS for method in views)

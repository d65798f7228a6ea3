"""Text that is compared alike on every database: folded in Python, compared by code points in SQL."""

import unicodedata


def fold(text: str) -> str:
    """The caseless form of a text (Unicode §3.13): NFKC, case folding, NFKC again."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def contains_pattern(needle: str) -> str:
    r"""A LIKE pattern for "contains", in which `%`, `_` and `\` stand for themselves under `ESCAPE '\'`."""
    escaped = needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

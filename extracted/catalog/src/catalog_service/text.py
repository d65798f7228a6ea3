"""Text that is compared alike on every database: folded here, compared by code points in SQL."""

import unicodedata


def fold(text: str) -> str:
    """Return the caseless form of a text (Unicode §3.13): NFKC, case folding, NFKC again."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def search_text(name: str, description: str, sku: str) -> str:
    """Return what a search looks through. The newlines keep a match from running over two of the texts."""
    return "\n".join((fold(name), fold(description), fold(sku)))

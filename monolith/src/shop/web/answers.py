"""The headers of answers, as values: every face sends exactly these."""

from shop.web.requests import etag

JSON = "application/json"
PRIVATE = {"Cache-Control": "no-store"}
REVALIDATED = {"Cache-Control": "no-cache"}
KEY_SET = {"Cache-Control": "public, max-age=300"}


def tagged(version: int) -> dict[str, str]:
    """For one product or category that was asked for (200 and 304)."""
    return {"ETag": etag(version), **REVALIDATED}


def changed(version: int) -> dict[str, str]:
    """For one product or category that has just been changed."""
    return {"ETag": etag(version), **PRIVATE}


def created(location: str, version: int | None = None) -> dict[str, str]:
    """For what has just been made."""
    return {"Location": location, **(PRIVATE if version is None else changed(version))}


def created_once(location: str, *, replayed: bool) -> dict[str, str]:
    """For what was made under an idempotency key, now or the first time."""
    return created(location) | ({"Idempotency-Replayed": "true"} if replayed else {})

"""Where the admin API may listen: on this machine alone, or anywhere with a token."""

import ipaddress

from strangler.model.errors import StranglerError

TOKEN_VARIABLE = "STRANGLER_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
LEAST_TOKEN_LENGTH = 16


class UnsafeAddress(StranglerError):
    """The admin API would be open to a network without a token."""


def is_token(text: str) -> bool:
    """Whether it can stand in a header: HTTP clients differ in what they make of anything but visible ASCII."""
    return all("!" <= letter <= "~" for letter in text)


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or address, without brackets) can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_address(host: str, token: str | None) -> None:
    """Raises ``UnsafeAddress``."""
    if token is not None and len(token) < LEAST_TOKEN_LENGTH:
        raise UnsafeAddress(f"{TOKEN_VARIABLE} has fewer than {LEAST_TOKEN_LENGTH} characters; make it longer")
    if token is not None and not is_token(token):
        raise UnsafeAddress(
            f"{TOKEN_VARIABLE} holds spaces, or letters beyond ASCII, which cannot stand in a header; make one with: "
            "openssl rand -hex 32"
        )
    if token is None and not is_loopback(host):
        raise UnsafeAddress(
            f"the admin API would be open to everyone who can reach {host}; set {TOKEN_VARIABLE}, or use 127.0.0.1"
        )

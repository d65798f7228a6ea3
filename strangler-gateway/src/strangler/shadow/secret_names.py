"""Names of members, columns, parameters and fields whose values are nobody's business."""

import re

from strangler.shadow.secret_patterns import without_placeholders

_PARTS = (
    "accesskey", "accountnumber", "apikey", "authorization", "bearer", "cardnumber", "cookie", "credential",
    "creditcard", "csrf", "jwt", "passcode", "passphrase", "passwd", "password", "privatekey", "pwd", "secret",
    "sessionid", "sessionkey", "socialsecurity", "token", "xsrf",
)  # fmt: skip
"""Anywhere in a name, whatever its case and its separators."""
_WORDS = frozenset(
    (
        "auth", "cvc", "cvv", "iban", "mfa", "otp", "pan", "pass", "pin", "pw", "salt", "session", "sid", "sig",
        "signature", "ssn", "totp",
    )
)  # fmt: skip
"""As one of the words of a name: too short to be looked for within others."""
_HARMLESS = frozenset(("tokentype", "maxtokens", "totaltokens", "prompttokens", "completiontokens"))
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST = 200


def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is not to be kept."""
    name = without_placeholders(name[:_LONGEST])
    folded = re.sub(r"[^a-z0-9]", "", name.lower())
    if folded in _HARMLESS:
        return False
    if any(part in folded for part in _PARTS):
        return True
    words = {word.lower() for word in _WORD.findall(name)}
    return folded in _WORDS or not words.isdisjoint(_WORDS)

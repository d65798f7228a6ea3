"""Secrets in every format that is declared to be recognised, made from a fixed seed; none of them was ever real."""

import base64
import json
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass

_CHANCE = random.Random(20261128)
_ALNUM = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Made:
    """One secret: how it is written, and the parts of which none may be left."""

    kind: str
    written: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {self.written[:24]}"


def drawn(characters: str, length: int) -> str:
    return "".join(_CHANCE.choices(characters, k=length))


def urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def emails() -> Iterator[Made]:
    for number in range(40):
        local = (
            drawn(string.ascii_lowercase, 6)
            + _CHANCE.choice(["", ".", "+", "_", "-"])
            + drawn(string.ascii_lowercase, 4)
        )
        local = local.upper() if number % 7 == 0 else local
        domain = _CHANCE.choice(["example.org", "mail.example.co.uk", "xn--bcher-kva.example", "intranet"])
        yield Made("email", f"{local}@{domain}", (local, f"@{domain}"))


def jwts() -> Iterator[Made]:
    for _ in range(20):
        header = urlsafe(json.dumps({"alg": "EdDSA", "kid": drawn(_ALNUM, 5)}).encode())
        claims = urlsafe(json.dumps({"sub": drawn(string.digits, 3)}).encode())
        signature = urlsafe(_CHANCE.randbytes(64))
        yield Made("jwt", f"{header}.{claims}.{signature}", (header, claims, signature))


def credentials() -> Iterator[Made]:
    for number in range(20):
        token = drawn(_ALNUM, 12 + number)
        yield Made("bearer", f"{_CHANCE.choice(['Bearer', 'bearer', 'Token'])} {token}1", (f"{token}1",))
    for _ in range(20):
        basic = base64.b64encode(f"{drawn(string.ascii_lowercase, 5)}:{drawn(_ALNUM, 7)}".encode()).decode()
        yield Made("basic", f"Basic {basic}", (basic.rstrip("="),))
    for _ in range(5):
        user = f"{drawn(string.ascii_lowercase, 6)}:{drawn(_ALNUM, 8)}"
        yield Made("user in a URL", f"https://{user}@db.example/x", (user, user.partition(":")[2]))


def api_keys() -> Iterator[Made]:
    formats = [
        ("sk_live_", _ALNUM, 24), ("pk_test_", _ALNUM, 24), ("ghp_", _ALNUM, 36), ("github_pat_", _ALNUM, 40),
        ("glpat-", _ALNUM, 20), ("xoxb-", string.digits, 12), ("AKIA", string.ascii_uppercase + string.digits, 16),
        ("AIza", _ALNUM, 35), ("npm_", _ALNUM, 36), ("sk-", _ALNUM, 40), ("shpat_", string.hexdigits.lower(), 32),
        ("whsec_", _ALNUM, 32), ("dop_v1_", string.hexdigits.lower(), 64), ("hvs.", _ALNUM, 24),
    ]  # fmt: skip
    for prefix, characters, length in formats:
        for _ in range(2):
            key = drawn(characters, length)
            yield Made("key", prefix + key, (key,))


def cards() -> Iterator[Made]:
    for number in range(30):
        first, length, groups = _CHANCE.choice(
            [("4", 16, 4), ("51", 16, 4), ("2221", 16, 4), ("6011", 16, 4), ("37", 15, 0), ("4", 13, 0), ("4", 19, 0)]
        )
        digits = first + drawn(string.digits, length - len(first) - 1)
        digits += next(check for check in string.digits if _luhn(digits + check))
        between = ["", " ", "-"][number % 3] if groups else ""
        written = between.join(digits[at : at + 4] for at in range(0, length, 4)) if between else digits
        yield Made("card", written, (written, digits))


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value // 10 + value % 10
    return total % 10 == 0


def ibans() -> Iterator[Made]:
    for number in range(20):
        country, length = _CHANCE.choice([("DE", 22), ("GB", 22), ("FR", 27), ("NO", 15), ("NL", 18), ("MT", 31)])
        account = drawn(string.digits, length - 4)
        remainder = int("".join(str(int(one, 36)) for one in f"{account}{country}00")) % 97
        iban = f"{country}{98 - remainder:02}{account}"
        written = " ".join(iban[at : at + 4] for at in range(0, length, 4)) if number % 2 else iban
        yield Made("iban", written, (written, iban))


def pems() -> Iterator[Made]:
    for kind in ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"):
        body = base64.encodebytes(_CHANCE.randbytes(64)).decode()
        yield Made("pem", f"-----BEGIN {kind}-----\n{body}-----END {kind}-----", tuple(body.split()))


def long_tokens() -> Iterator[Made]:
    for number in range(30):
        token = drawn("0123456789abcdef", 32 + 4 * (number % 9))
        token = token.upper() if number % 3 == 0 else token
        yield Made("hexadecimal", token, (token,))
    for number in range(30):
        token = base64.b64encode(_CHANCE.randbytes(24 + number)).decode()
        yield Made("base64", token, (token.rstrip("="),))
    for number in range(20):
        token = urlsafe(_CHANCE.randbytes(24 + number))
        yield Made("base64url", token, (token,))
    for _ in range(10):
        token = drawn(string.ascii_lowercase + string.digits, 40)
        yield Made("base36", token, (token,))


MADE = [
    *emails(), *jwts(), *credentials(), *api_keys(), *cards(), *ibans(), *pems(), *long_tokens(),
]  # fmt: skip
PASSWORDS = [drawn(string.ascii_letters + "!$*", 8) for _ in range(20)]
"""What only its name gives away."""

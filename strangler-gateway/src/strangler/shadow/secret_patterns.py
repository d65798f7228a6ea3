"""What a secret looks like, wherever it stands: each pattern says where one begins, where it ends, and of what kind."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator

Span = tuple[int, int, str]
"""Start, end, and kind."""
Pattern = Callable[[str], Iterator[Span]]

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")
_JWT = re.compile(r"eyJ[\w-]{6,}(?:\.[\w-]*){0,4}", re.ASCII)
_CREDENTIAL = re.compile(
    r"\b(?:bearer|token|apikey|negotiate|digest)[\s+]{1,8}([\w.~+/=-]{8,})", re.ASCII | re.IGNORECASE
)
_BASIC = re.compile(r"\bbasic[\s+]{1,8}([\w+/-]{2,}={0,2})", re.ASCII | re.IGNORECASE)
_USER_IN_URL = re.compile(r"://([^\s/:@\"'<>]{0,256}:[^\s/@\"'<>]{1,256})@")
_LOCAL_BACKWARDS = re.compile(r"[\w.!#$*'+~-]{1,256}|\"[^\"\n]{1,128}\"")
_DOMAIN = re.compile(r"[\w.-]{1,254}|\[[0-9A-Fa-f:.]{2,45}\]")
_API_KEY = re.compile(
    r"(?:sk|pk|rk)_(?:live|test)_\w{8,}|sk-[\w-]{16,}|gh[oprsu]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"xox[abeoprs]-[\w-]{8,}|xapp-[\w-]{8,}|A(?:KIA|SIA|ROA|IDA)[A-Z0-9]{12,}|AIza[\w-]{30,}|ya29\.[\w-]{16,}|"
    r"npm_\w{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|shp(?:at|ca|pa|ss)_\w{16,}|do[opr]_v1_\w{16,}|hv[bsr]\.[\w-]{16,}|"
    r"whsec_[\w+/=]{16,}|dapi[0-9a-f]{32}",
    re.ASCII,
)
_WORDS_OF_SECRETS = (
    r"passw(?:or)?d|passphrase|passcode|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|"
    r"authorization|session[_-]?id|csrf|xsrf|"
    r"(?:(?<![A-Za-z])(?:pwd|cvv2?|cvc|pin|otp|ssn)|(?-i:(?<=[a-z])(?:Pwd|Cvv|Cvc|Pin|Otp|Ssn)))(?![A-Za-z])"
)
_HINTS = (
    "passw", "passphrase", "passcode", "pwd", "secret", "token", "key", "credential", "authorization", "session",
    "csrf", "xsrf", "cvv", "cvc", "pin", "otp", "ssn",
)  # fmt: skip
"""One of them is in each of those words."""
_ASSIGNED = re.compile(
    rf"(?:{_WORDS_OF_SECRETS})[\w-]{{0,20}}[\"']?\s{{0,8}}(?:=>?|:)\s{{0,8}}"
    r"(?:\"([^\"\n]{1,4096})\"|'([^'\n]{1,4096})'|([^\s\"'&,;<>{}()\[\]]{3,4096}))",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?:input|meta|button|option)\b[^<>]{0,2048}>", re.IGNORECASE)
_SECRET_TAG = re.compile(
    rf"type\s*=\s*[\"']?password|(?:name|id|property)\s*=\s*[\"']?[\w.:-]*?(?:{_WORDS_OF_SECRETS})", re.IGNORECASE
)
_TAG_VALUE = re.compile(r"\b(?:value|content)\s*=\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s\"'>]+))", re.IGNORECASE)
_ELEMENT = re.compile(
    rf"<([\w:.-]{{0,40}}?(?:{_WORDS_OF_SECRETS})[\w:.-]{{0,20}})(?:\s[^<>]{{0,512}})?>([^<>]+)</", re.IGNORECASE
)
_CARD = re.compile(r"(?<!\d)(?=([2-6]\d{1,18}(?:[ +\u00a0\u2000-\u2015\u202f-]\d{2,7}){0,5}))", re.ASCII)
_LAST_GROUP = re.compile(r"(?:[ +\u00a0\u2000-\u2015\u202f-]|\A)\d+\Z")
_IBAN = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}\d{2}(?:[ +\u00a0-]?[A-Za-z0-9]){11,29}))", re.ASCII)
_IBAN_REGISTER = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 "
    "EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 "
    "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 "
    "NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 "
    "SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "
)
_IBAN_LENGTHS = {pair[:2]: int(pair[2:]) for pair in _IBAN_REGISTER.split()}
"""Characters per country, as its register (ISO 13616) has them."""
_RUN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_UUID = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])")
_HEX = re.compile(r"[0-9A-Fa-f]{32,}")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_VOWEL = re.compile(r"[AEIOUYaeiouy]")
_WITHOUT_VOWEL = frozenset(
    (
        "a", "bg", "css", "csv", "db", "gb", "gbp", "html", "http", "https", "js", "jpg", "mb", "pdf", "png", "sql",
        "src", "svg", "tmp", "usd", "vnd", "vs", "www", "x", "xml",
    )
)  # fmt: skip
"""Words that look like none."""
_SWITCH = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_PLACEHOLDER = re.compile(r"\([a-z-]{1,20}:\d{1,10}\)")


def placeholder(kind: str, length: int) -> str:
    """What stands in the place of something."""
    return f"({kind}:{length})"


def without_placeholders(text: str) -> str:
    """A text without what stands in the place of something: its kinds are words of ours."""
    return _PLACEHOLDER.sub("", text)


def is_placeholder(text: str) -> bool:
    """Whether a text is what stands in the place of something, and nothing else."""
    return _PLACEHOLDER.fullmatch(text) is not None


def _pem(text: str) -> Iterator[Span]:
    """A PEM block; without its end, all that follows."""
    done = 0
    while found := _PEM.search(text, done):
        end = _PEM_END.search(text, found.end())
        done = len(text) if end is None else end.end()
        yield found.start(), done, "pem"


def _jwt(text: str) -> Iterator[Span]:
    for found in _JWT.finditer(text):
        yield found.start(), found.end(), "jwt"


def _credentials(text: str) -> Iterator[Span]:
    for found in _CREDENTIAL.finditer(text):
        word = found[1]
        if len(word) >= 20 or not word.isalpha() or word not in {word.lower(), word.capitalize()}:
            yield found.start(1), found.end(1), "credential"
    for found in _BASIC.finditer(text):
        if _has_colon(found[1]):
            yield found.start(1), found.end(1), "credential"
    for found in _USER_IN_URL.finditer(text):
        yield found.start(1), found.end(1), "credential"


def _has_colon(word: str) -> bool:
    """Whether a word is base64 of ``user:password``."""
    plain = word.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return b":" in base64.b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return False


def _emails(text: str) -> Iterator[Span]:
    """Anything with an ``@`` in it. From the ``@`` to both sides, since a search from the left would take long."""
    at = text.find("@")
    while at != -1:
        local = _LOCAL_BACKWARDS.match(text[max(0, at - 256) : at][::-1])
        domain = _DOMAIN.match(text, at + 1)
        if local is not None and domain is not None:
            yield at - local.end(), domain.end(), "email"
        at = text.find("@", at + 1)


def _api_keys(text: str) -> Iterator[Span]:
    for found in _API_KEY.finditer(text):
        yield found.start(), found.end(), "key"


def _assigned(text: str) -> Iterator[Span]:
    """``password=…``, ``"token": "…"``, ``<input name="csrf" value="…">``, ``<secret>…</secret>`` in any text."""
    folded = text.lower()
    if not any(hint in folded for hint in _HINTS):  # Much quicker than the expression.
        return
    for found in _ASSIGNED.finditer(text):
        yield from _group(found, (1, 2, 3))
    if "<" in text:
        for tag in _TAG.finditer(text):
            if _SECRET_TAG.search(tag.group()):
                for value in _TAG_VALUE.finditer(text, tag.start(), tag.end()):
                    yield from _group(value, (1, 2, 3))
        for found in _ELEMENT.finditer(text):
            yield from _group(found, (2,))


def _group(found: re.Match[str], groups: tuple[int, ...]) -> Iterator[Span]:
    for group in groups:
        if found[group] and not _PLACEHOLDER.match(found[group]):
            yield found.start(group), found.end(group), "secret"


def _cards(text: str) -> Iterator[Span]:
    """13 to 19 digits in any groups, whose check digit is right; what follows in a group of its own is not part."""
    for found in _CARD.finditer(text):
        start, end = found.span(1)
        while end - start >= 13:
            if _has_check_digit([int(one) for one in text[start:end] if one.isdigit()]):
                yield start, end, "card"
                break
            end = start + len(_LAST_GROUP.sub("", text[start:end]))


def _has_check_digit(digits: list[int]) -> bool:
    """The formula of Luhn (ISO/IEC 7812-1)."""
    if not 13 <= len(digits) <= 19:
        return False
    backwards = enumerate(reversed(digits))
    return sum(digit * 2 - 9 * (digit > 4) if index % 2 else digit for index, digit in backwards) % 10 == 0


def _ibans(text: str) -> Iterator[Span]:
    """As long as its country's are, with the right check digits (ISO 7064): words may follow."""
    for found in _IBAN.finditer(text):
        places = [index for index in range(*found.span(1)) if text[index].isalnum()]
        length = _IBAN_LENGTHS.get(found[1][:2].upper(), 0)
        code = "".join(text[index] for index in places[:length])
        if length and len(code) == length and int("".join(str(int(one, 36)) for one in code[4:] + code[:4])) % 97 == 1:
            yield found.start(1), places[length - 1] + 1, "iban"


def _long_tokens(text: str) -> Iterator[Span]:
    for found in _RUN.finditer(text):
        start, end = _without_words(found.group())
        if _is_drawn(_UUID.sub("-", found.group()[start:end])):
            yield found.start() + start, found.start() + end, "token"


def _without_words(run: str) -> tuple[int, int]:
    """Where a run begins and ends without what a path has around it: ``api/notes/`` before, ``/x`` behind."""
    segments = run.split("/")
    first, last = 0, len(segments)
    while first < last and _is_plain(segments[first]):
        first += 1
    while first < last and _is_plain(segments[last - 1]):
        last -= 1
    start = sum(len(segment) + 1 for segment in segments[:first])
    return start, max(start, len(run) - sum(len(segment) + 1 for segment in segments[last:]))


def _is_plain(segment: str) -> bool:
    return not (_SWITCH.search(segment) or _odd_pieces(segment))


def _is_drawn(run: str) -> bool:
    """Whether a long run of letters and digits looks drawn by lot: hexadecimal, base64, base36. Not: a slug, a name in
    camel case, a UUID, which identifies more often than it opens. Of base64 of 24 bytes it misses 5 in 100,000."""
    if any(not digits.isdigit() and not digits.isalpha() for digits in _HEX.findall(run)):
        return True
    letters = sum(map(str.isalnum, run))
    if letters < 18:
        return False
    return len(_SWITCH.findall(run)) >= 3 or _odd_pieces(run) >= 2 or letters < 3 * len(_PIECE.findall(run))


def _odd_pieces(run: str) -> int:
    """How many of the pieces that read as words are none: too short, or without a vowel."""
    pieces = [piece for piece in _PIECE.findall(run) if not piece.isdigit() and piece.lower() not in _WITHOUT_VOWEL]
    return sum(len(piece) == 1 or not _VOWEL.search(piece) for piece in pieces)


PATTERNS: tuple[Pattern, ...] = (
    _pem, _jwt, _credentials, _emails, _api_keys, _assigned, _cards, _ibans, _long_tokens,
)  # fmt: skip
"""In the order in which they name what they find together."""

"""The monolith's own sessions, as Flask and Django themselves make them."""

import pickle
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import signing
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from strangler.model.authentication import Names
from strangler.policies.identity import Identity
from strangler.policies.method import Method, Outcomes
from strangler.policies.refusals import Rejected, Unavailable
from strangler.policies.sessions import CookieSession, TableSession
from strangler.policies.signed_cookies import COOKIE_SALT, TABLE_SALT, DjangoCookies, FlaskCookies
from strangler.telemetry.meters import Meters

from .stand_ins import Flights, Request, Times, counted, wait

SECRET, OLD = "the present secret", "the former secret"
DAY = 86_400.0


@pytest.fixture(name="times")
def the_time_is_now() -> Times:
    return Times(datetime.now(UTC).timestamp())


def flask_cookie(values: dict[str, Any], secret: str = SECRET, fallbacks: list[str] | None = None) -> str:
    """As Flask signs it."""
    app = Flask("monolith", root_path=".")  # Beside the members, the name is a package without a file.
    app.config.update(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=fallbacks)
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps(values))


def django_cookie(
    values: dict[str, Any], secret: str = SECRET, salt: str = COOKIE_SALT, *, compress: bool = True
) -> str:
    """As ``django.contrib.sessions.backends.signed_cookies`` signs it."""
    signer = signing.TimestampSigner(key=secret, salt=salt, fallback_keys=[])
    return signer.sign_object(values, serializer=signing.JSONSerializer, compress=compress)


def flask_session(times: Times, meters: Meters | None = None) -> CookieSession:
    reader = FlaskCookies([SECRET.encode(), OLD.encode()], "cookie-session", 31 * DAY)
    return CookieSession("session", reader, Names("_user_id"), Outcomes("s", meters or Meters()), times.clock)


def django_session(times: Times, meters: Meters | None = None) -> CookieSession:
    reader = DjangoCookies([SECRET.encode(), OLD.encode()], COOKIE_SALT, 14 * DAY)
    return CookieSession("session", reader, Names("_user_id"), Outcomes("s", meters or Meters()), times.clock)


KINDS: list[tuple[Callable[..., CookieSession], Callable[..., str], float]] = [
    (flask_session, flask_cookie, 31 * DAY),
    (django_session, django_cookie, 14 * DAY),
]
both = pytest.mark.parametrize(("session", "signed", "max_age"), KINDS, ids=["flask", "django"])


def identify(method: Method, *fields: str) -> Identity | None:
    found = method.identify(Request(*fields))
    return found if found is None or isinstance(found, Identity) else wait(found)


def reason(method: Method, *fields: str) -> str:
    with pytest.raises(Rejected) as rejected:
        identify(method, *fields)
    assert rejected.value.browser
    return rejected.value.reason


@both
@pytest.mark.parametrize("more", [{}, {"cart": ["x" * 40] * 30}], ids=["small", "compressed"])
def test_a_user_logged_in_to_the_monolith_is_known(
    times: Times,
    session: Callable[..., CookieSession],
    signed: Callable[..., str],
    max_age: float,
    more: dict[str, Any],
) -> None:
    text = signed({"_user_id": "7", "roles": ["staff"], "_fresh": True, **more})
    assert text.startswith(".") is bool(more)
    identity = identify(session(times), f"Cookie: theme=dark; session={text}; a=b")
    assert identity is not None
    assert (identity.subject, identity.roles) == ("7", {"staff"})


@both
def test_a_session_is_known_until_it_ends_and_no_longer(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    meters = Meters()
    method = session(times, meters)
    field = f"Cookie: session={signed({'_user_id': 7})}"
    assert identify(method, field) is identify(method, field)
    times.pass_by(max_age - 2)
    assert identify(method, field) is not None
    times.pass_by(2)
    assert reason(method, field) == "expired"
    assert counted(meters) == {"accepted": 1, "cached": 2}


@both
def test_a_former_secret_is_good_while_it_is_named(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    assert identify(session(times), f"Cookie: session={signed({'_user_id': 7}, OLD)}") is not None
    assert reason(session(times), f"Cookie: session={signed({'_user_id': 7}, 'another')}") == "bad_signature"


def test_flask_signs_by_its_present_secret_when_it_has_fallbacks(times: Times) -> None:
    text = flask_cookie({"_user_id": 7}, SECRET, [OLD, "older"])
    assert identify(flask_session(times), f"Cookie: session={text}") is not None


@both
def test_what_was_tampered_with_is_nobody(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    text, other = signed({"_user_id": "7"}), signed({"_user_id": "1"})
    dot = "." if session is flask_session else ":"
    payload, stamp, signature = text.rsplit(dot, 2)
    later = f"{stamp[:-1]}{'A' if stamp[-1] != 'A' else 'B'}"
    for forged in (
        f"{other.rsplit(dot, 2)[0]}{dot}{stamp}{dot}{signature}",
        f"{payload}{dot}{later}{dot}{signature}",
        f"{payload}{dot}{stamp}{dot}",
        f"{payload}{dot}{stamp}",
        f"{payload}{dot}{stamp}{dot}{signature}=",
        payload,
        "x" * 20_000,
        dot * 3,
    ):
        assert reason(session(times), f"Cookie: session={forged}") in {"bad_signature", "malformed"}


@both
def test_a_session_from_the_future_is_nobody(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    text = signed({"_user_id": 7})
    times.pass_by(-61)
    assert reason(session(times), f"Cookie: session={text}") == "not_yet_valid"


@both
def test_a_session_in_which_nobody_is_signed_in_is_nobody_and_is_remembered(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    method = session(times)
    field = f"Cookie: session={signed({'cart': [1]})}"
    assert reason(method, field) == "anonymous"
    assert reason(method, field) == "anonymous"


@both
def test_two_cookies_of_one_name_that_differ_are_doubt(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    mine, theirs = signed({"_user_id": 7}), signed({"_user_id": 1})
    assert reason(session(times), f"Cookie: session={mine}; session={theirs}") == "ambiguous"
    assert reason(session(times), f"Cookie: session={mine}", f"Cookie: session={theirs}") == "ambiguous"
    assert identify(session(times), f"Cookie: session={mine}; session={mine}") is not None


@both
def test_no_cookie_is_no_credential(
    times: Times, session: Callable[..., CookieSession], signed: Callable[..., str], max_age: float
) -> None:
    for field in ("X: 1", "Cookie: a=b", "Cookie: session=", "Cookie: xsession=a", "Cookie: session"):
        assert identify(session(times), field) is None


def test_a_wrong_salt_is_a_wrong_signature(times: Times) -> None:
    text = django_cookie({"_user_id": 7}, salt="password-reset")
    assert reason(django_session(times), f"Cookie: session={text}") == "bad_signature"
    reader = FlaskCookies([SECRET.encode()], "another-salt", DAY)
    method = CookieSession("session", reader, Names("_user_id"), Outcomes("s", Meters()), times.clock)
    assert reason(method, f"Cookie: session={flask_cookie({'_user_id': 7})}") == "bad_signature"


def test_what_flask_marks_is_read_as_what_it_means(times: Times) -> None:
    user = uuid.UUID(int=7)
    text = flask_cookie({"_user_id": user, "roles": ("a", "b"), "when": datetime(2026, 1, 1, tzinfo=UTC)})
    identity = identify(flask_session(times), f"Cookie: session={text}")
    assert identity is not None
    assert (identity.subject, identity.roles) == (user.hex, {"a", "b"})


def test_a_session_that_swells_is_refused(times: Times) -> None:
    text = flask_cookie({"_user_id": 7, "bomb": "0" * 1_000_000})
    assert len(text) < 16_000
    assert reason(flask_session(times), f"Cookie: session={text}") == "malformed"


def test_a_pickled_session_is_never_loaded(times: Times) -> None:
    class Pickled:
        def dumps(self, values: object) -> bytes:
            return pickle.dumps(values)

    signer = signing.TimestampSigner(key=SECRET, salt=COOKIE_SALT, fallback_keys=[])
    text = signer.sign_object({"_user_id": 7}, serializer=Pickled)
    assert reason(django_session(times), f"Cookie: session={text}") == "malformed"


# Pages of other sites

PAGES = [
    ("GET", ("Origin: https://evil.example", "Sec-Fetch-Site: cross-site"), True),
    ("POST", (), True),
    ("POST", ("Origin: https://shop.example",), True),
    ("POST", ("Origin: HTTPS://SHOP.example",), True),
    ("POST", ("Sec-Fetch-Site: same-origin", "Origin: https://shop.example"), True),
    ("POST", ("Sec-Fetch-Site: none",), True),
    ("POST", ("Sec-Fetch-Site: same-site", "Origin: https://app.example"), True),
    ("POST", ("Origin: https://app.example",), True),
    ("POST", ("Origin: https://evil.example",), False),
    ("POST", ("Origin: https://shop.example.evil.example",), False),
    ("POST", ("Origin: https://shop.example:8443",), False),
    ("POST", ("Origin: null",), False),
    ("POST", ("Origin:",), False),
    ("POST", ("Sec-Fetch-Site: cross-site",), False),
    ("POST", ("Sec-Fetch-Site: cross-site", "Origin: https://shop.example"), False),
    ("POST", ("Sec-Fetch-Site: same-site", "Origin: https://evil.example"), False),
    ("POST", ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), False),
    ("POST", ("Origin: https://app.example", "Origin: https://evil.example"), False),
    ("PUT", ("Origin: https://evil.example",), False),
    ("DELETE", ("Origin: https://evil.example",), False),
    ("PATCH", ("Origin: https://evil.example",), False),
]


@pytest.mark.parametrize(("verb", "fields", "known"), PAGES)
def test_a_cookie_counts_for_no_change_that_another_sites_page_asks_for(
    times: Times, verb: str, fields: tuple[str, ...], known: bool
) -> None:
    session = flask_session(times)
    session.origins = frozenset({b"https://app.example"})
    request = Request(f"Cookie: session={flask_cookie({'_user_id': 7})}", *fields, method=verb)
    if known:
        assert isinstance(session.identify(request), Identity)
    else:
        with pytest.raises(Rejected, match="cross_site"):
            session.identify(request)


OPENING = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {'x' * 22}==")


@pytest.mark.parametrize(
    ("origin", "known"),
    [("https://shop.example", True), ("https://app.example", True), ("https://evil.example", False), ("null", False)],
)
def test_a_cookie_counts_for_no_websocket_that_another_sites_page_opens(times: Times, origin: str, known: bool) -> None:
    session = flask_session(times)
    session.origins = frozenset({b"https://app.example"})
    request = Request(f"Cookie: session={flask_cookie({'_user_id': 7})}", f"Origin: {origin}", *OPENING)
    if known:
        assert isinstance(session.identify(request), Identity)
    else:
        with pytest.raises(Rejected, match="cross_site"):
            session.identify(request)


# In the monolith's table


class Table:
    """Fills the port by a dict; None as a whole while it is down."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, float]] | None = {}
        self.reads = 0

    async def read(self, key: str) -> tuple[str, float] | None:
        self.reads += 1
        if self.rows is None:
            raise Unavailable("the database is down")
        return self.rows.get(key)


def table_session(times: Times, table: Table) -> TableSession:
    reader = DjangoCookies([SECRET.encode()], TABLE_SALT, None)
    outcomes = Outcomes("s", Meters())
    return TableSession(
        "session", reader, Names("_user_id"), outcomes, times.clock, table=table, flights=Flights(), cache=5
    )


KEY = "abcdefgh12345678abcdefgh12345678"


def test_a_session_in_the_table_is_looked_up_and_believed_for_a_while(times: Times) -> None:
    table = Table()
    assert table.rows is not None
    table.rows[KEY] = django_cookie({"_user_id": "7"}, salt=TABLE_SALT), times.now + 8
    method, field = table_session(times, table), f"Cookie: session={KEY}"
    for after, reads in ((0, 1), (4, 1), (1, 2)):
        times.pass_by(after)
        identity = identify(method, field)
        assert identity is not None
        assert (identity.subject, table.reads) == ("7", reads)
    times.pass_by(3)  # It ends before the five seconds are over.
    assert reason(method, field) == "anonymous"


def test_a_session_that_is_not_in_the_table_is_remembered_as_such_for_a_while(times: Times) -> None:
    table = Table()
    method = table_session(times, table)
    for _ in range(3):
        assert reason(method, f"Cookie: session={KEY}") == "anonymous"
    assert table.reads == 1
    assert table.rows is not None
    table.rows[KEY] = django_cookie({"_user_id": "7"}, salt=TABLE_SALT), times.now + 100
    times.pass_by(5)
    assert identify(method, f"Cookie: session={KEY}") is not None


@pytest.mark.parametrize("key", ["short", "x" * 65, "abcdefgh'; --", "abcdefgh%00"])
def test_what_cannot_be_a_key_is_not_looked_up(times: Times, key: str) -> None:
    table = Table()
    assert reason(table_session(times, table), f"Cookie: session={key}") == "malformed"
    assert table.reads == 0


def test_a_row_that_somebody_else_wrote_is_nobody(times: Times) -> None:
    table = Table()
    table.rows = {KEY: (django_cookie({"_user_id": "7"}, salt=COOKIE_SALT), times.now + 100)}
    assert reason(table_session(times, table), f"Cookie: session={KEY}") == "bad_signature"


def test_while_the_database_is_down_nobody_can_say(times: Times) -> None:
    table = Table()
    table.rows = None
    with pytest.raises(Unavailable):
        identify(table_session(times, table), f"Cookie: session={KEY}")

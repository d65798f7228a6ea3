"""What workers could not use is found out before a configuration is adopted: its line, its place, and no secret."""

from pathlib import Path

import pytest

from strangler.config import load_text
from strangler.control.trial import try_files, try_out
from strangler.model.errors import ConfigError, Problem

HEAD = "monolith: http://m\nauthentication:\n  a:\n    "
JWT = "jwt: {issuer: i, audience: [], "
AT = "authentication.a."
UNUSABLE = [
    (JWT + "secret: env:THERE_IS_NONE}", "jwt.secret", "THERE_IS_NONE is not set"),
    (JWT + "secret: env:SHORT}", "jwt.secret", "at least 32 bytes, this one has 5"),
    (JWT + "keys_file: none}", "jwt.keys_file", "none cannot be read: No such file"),
    (JWT + "keys_file: empty}", "jwt.keys_file", "no public key"),
    (JWT + "keys_url: 'https://i', ca_file: none}", "jwt.ca_file", "cannot be used: No such file"),
    ("api_keys: {keys_file: none}", "api_keys.keys_file", "none cannot be read"),
    ("api_keys: {keys_file: bad.jsonl}", "api_keys.keys_file", "line 1 is no key"),
    ("flask_session: {secret: 'file:none'}", "flask_session.secret", "none cannot be read"),
    (
        "django_session: {secret: env:SECRET, old_secrets: [env:SECRET, 'file:empty']}",
        "django_session.old_secrets[1]",
        "file:empty is empty",
    ),
    ("django_session: {secret: env:SECRET, database: env:SECRET}", "django_session.database", "URL cannot be used"),
]
SHADOWED = """\
upstreams: {c: {endpoints: [http://c]}}
routes: [{name: r, match: {path: /r}, service: c, shadow: {writes: true}}]
"""
ELSEWHERE = [
    ("identity: {token: {key: env:SHORT}}", "identity.token.key", "a shared secret has at least 32 bytes"),
    (
        "gateway: {limit_store: {url: 'redis://h', password: 'file:none'}}",
        "gateway.limit_store.password",
        "none cannot be read",
    ),
    (
        f"gateway: {{shadow: {{secret: env:SHORT}}}}\n{SHADOWED}",
        "gateway.shadow.secret",
        "it needs at least 32",
    ),
    ("gateway: {access_log: none/access.log}", "gateway.access_log", "there is no folder none"),
    ("gateway: {access_log: .}", "gateway.access_log", ". is a folder"),
]


@pytest.fixture(autouse=True)
def files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHORT", "s3cr3")
    monkeypatch.setenv("SECRET", "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t")
    Path("empty").touch()
    Path("bad.jsonl").write_text('{"owner": "y"}\n')


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as refused:
        load_text(text, trial=try_out)
    assert "s3cr3" not in str(refused.value)
    return refused.value.problems


@pytest.mark.parametrize(("text", "place", "says"), UNUSABLE)
def test_an_authenticator_that_no_worker_could_set_up_is_refused_with_its_place(
    text: str, place: str, says: str
) -> None:
    (problem,) = problems(HEAD + text)
    assert (problem.line, problem.place, says in problem.message) == (4, AT + place, True), problem


@pytest.mark.parametrize(("text", "place", "says"), ELSEWHERE)
def test_what_else_no_worker_could_use_is_refused_with_its_place(text: str, place: str, says: str) -> None:
    (problem,) = problems(f"monolith: http://m\n{text}\n")
    assert (problem.line, problem.place, says in problem.message) == (2, place, True), problem


def test_what_can_be_used_is_left_alone() -> None:
    text = HEAD + JWT + "secret: env:SECRET}\ngateway: {access_log: access.log}\n"
    assert load_text(text, trial=try_out).topology.authenticators
    assert not Path("access.log").exists()


def test_where_no_gateway_runs_the_environment_is_not_asked() -> None:
    text = HEAD + JWT + "secret: env:THERE_IS_NONE}\n  b: {flask_session: {secret: 'file:none'}}\n"
    with pytest.raises(ConfigError) as refused:
        load_text(text, trial=try_files)
    assert [problem.place for problem in refused.value.problems] == ["authentication.b.flask_session.secret"]

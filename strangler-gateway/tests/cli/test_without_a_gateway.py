"""The commands where no gateway runs: what they still do, and what they say."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from strangler.cli.reference import reference
from strangler.link.codec import encode_snapshot
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, PathKind, Route, RouteMatch, StickySource, SubjectKind
from strangler.model.snapshot import Gateway, Snapshot
from strangler.policies.api_keys import read_key_file
from strangler.supervisor.kill_ledger import read_killed
from strangler.supervisor.state_folder import StateFolder
from support.processes import free_port

from .conftest import STRANGLER, strangler

ROUTES = (
    Route("products-get", RouteMatch("/api/products/{id}"), "catalog", "catalog", "monolith", "catalog"),
    Route("products-list", RouteMatch("/api/products"), "catalog", "catalog", "monolith", "catalog"),
    Route(CATCH_ALL, RouteMatch("/", PathKind.PREFIX), CATCH_ALL, CATCH_ALL, "monolith"),
)


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """What a gateway leaves when it ends."""
    folder = StateFolder(tmp_path / ".strangler")
    folder.create()
    folder.snapshot.write_bytes(encode_snapshot(Snapshot(3, "", Gateway(), (), ROUTES)))
    return folder


def test_a_claim_can_be_supposed(state: StateFolder) -> None:
    sticky = (StickySource(SubjectKind.TOKEN, "sub"),)
    route = replace(ROUTES[0], sticky=sticky)
    flags = (Flag(route.name, Stage.CANARY, 10_000),)
    state.snapshot.write_bytes(encode_snapshot(Snapshot(3, "", Gateway(), (), (route, ROUTES[2]), flags)))
    question = ("explain", "GET", "/api/products/7", "--header", "Authorization: Bearer x.y.z", "--json")
    assert strangler(*question).document["reason"] == "no_subject"
    answer = strangler(*question, "--claim", "sub=u1").document
    assert (answer["reason"], answer["subject"]) == ("below_weight", "u1")
    assert strangler(*question, "--claim", "sub").status == 2


def test_an_api_key_is_shown_once_and_its_line_is_one_of_a_key_file() -> None:
    ran = strangler("auth", "new-key", "billing", "--scope", "orders:read", "--role", "partner")
    assert ran.status == 0
    key = ran.err.split()[-1]
    assert key.startswith("sgk_")
    assert key not in ran.out
    [(found, entry)] = read_key_file(ran.out.encode()).items()
    assert found == hashlib.sha256(key.encode()).digest()
    assert (entry.owner, entry.scopes, entry.roles) == ("billing", ("orders:read",), ("partner",))


@pytest.mark.parametrize(
    ("key", "status"), [("a-key-that-exists-since-long-ago-and-is-long", 0), ("short", 2), ("", 2)]
)
def test_a_key_that_exists_is_hashed_if_nobody_can_guess_it(key: str, status: int) -> None:
    command = [STRANGLER, "auth", "hash-key", "partner"]
    ran = subprocess.run(command, input=f"{key}\n", capture_output=True, text=True, check=False)
    assert ran.returncode == status, ran.stderr
    assert ran.stdout == "" or list(read_key_file(ran.stdout.encode())) == [hashlib.sha256(key.encode()).digest()]


@pytest.mark.parametrize("command", [("status",), ("routes",), ("history",), ("flip", "x", "service", "--reason", "x")])
def test_commands_that_need_control_say_how_to_get_it(command: tuple[str, ...], tmp_path: Path) -> None:
    ran = strangler(*command)
    assert ran.status == 1
    assert f"no gateway runs with the state folder {tmp_path}/.strangler" in ran.err
    assert "`strangler up`" in ran.err
    assert "error" in strangler(*command, "--json").document


def test_an_admin_address_where_nobody_answers_is_named() -> None:
    port = free_port()
    ran = strangler("routes", "--admin", f"127.0.0.1:{port}")
    assert ran.status == 1
    assert f"control does not answer on 127.0.0.1:{port}" in ran.err
    assert strangler("routes", "--admin", "x y:z").status == 2


def test_a_kill_is_written_down_for_the_next_start(state: StateFolder) -> None:
    ran = strangler("kill", "catalog", "--reason", "before the start", "--json")
    assert ran.status == 0
    assert ran.document["gateway"] == "stopped"
    assert read_killed(state) == {"products-get", "products-list"}
    assert strangler("explain", "GET", "/api/products/7", "--json").document["reason"] == "killed"
    ran = strangler("kill", "products-get", "--lift", "--reason", "mended")
    assert "the next start will honour it" in ran.out
    assert read_killed(state) == {"products-list"}


def test_a_kill_of_a_route_that_is_gone_can_be_lifted(state: StateFolder) -> None:
    strangler("kill", "products-get", "--reason", "x")
    state.snapshot.write_bytes(encode_snapshot(Snapshot(4, "", Gateway(), (), ROUTES[1:])))
    assert strangler("kill", "products-get", "--reason", "x").status == 2
    assert strangler("kill", "products-get", "--lift", "--reason", "x").status == 0
    assert read_killed(state) == frozenset()


def test_a_kill_without_a_snapshot_or_with_a_damaged_one_says_so(tmp_path: Path, state: StateFolder) -> None:
    assert strangler("kill", "x", "--reason", "x", "--state", tmp_path / "none").status == 1
    assert not (tmp_path / "none").exists()
    state.snapshot.write_bytes(b"{}")
    ran = strangler("kill", "products-get", "--reason", "x")
    assert (ran.status, "is damaged" in ran.err) == (1, True)


def test_down_is_content_when_nothing_runs(state: StateFolder) -> None:
    assert strangler("down", "--json").document["was_running"] is False
    assert "no gateway runs" in strangler("down").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("/api//products",), "can be read in more than one way"),
        (("/", "--header", "näme: x"), '--header "Name: value"'),
        (("/", "--header", ": x"), '--header "Name: value"'),
    ],
)
def test_explain_refuses_what_a_worker_would_refuse(
    state: StateFolder, arguments: tuple[str, ...], message: str
) -> None:
    ran = strangler("explain", "GET", *arguments)
    assert (ran.status, message in ran.err) == (2, True), ran.err


# check, config, version


def test_check_prints_every_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("monolith: 127.0.0.1\nroutes:\n  - {name: a, match: {path: x}}\nnonsense: 1\n")
    ran = strangler("check", "bad.yaml")
    assert ran.status == 2
    assert [line.split(" ")[0] for line in ran.err.splitlines()] == ["bad.yaml:1:", "bad.yaml:3:", "bad.yaml:4:"]
    document = strangler("check", "bad.yaml", "--json").document
    assert document["valid"] is False
    assert [problem["line"] for problem in document["problems"]] == [1, 3, 4]
    assert all(problem["place"] and problem["message"] for problem in document["problems"])


def test_check_of_a_good_file_counts_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "strangler.yaml").write_text("monolith: http://127.0.0.1:8000\n")
    assert strangler("check").status == 0
    assert strangler("check", "--json").document["valid"] is True


def test_config_schema_is_a_json_schema() -> None:
    assert strangler("config", "schema").document["$schema"].startswith("https://json-schema.org/")


def test_version_says_which() -> None:
    assert strangler("version", "--json").document["version"]
    assert strangler("version").out.startswith("strangler ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("serve",), "strangler.yaml"),
        (("up", "--config", "nowhere.yaml"), "nowhere.yaml"),
        (("serve", "--config", "good.yaml", "--listen", "8080"), "--listen"),
        (("serve", "--config", "good.yaml", "--workers", "0"), "--workers 0: write a number from 1 to 1024, or auto"),
        (("serve", "--config", "good.yaml", "--workers", "many"), "--workers many"),
        (("serve", "--config", "good.yaml", "--admin", "0.0.0.0:8081"), "STRANGLER_ADMIN_TOKEN"),
        (("serve", "--config", "good.yaml", "--state", "x" * 120), "choose a shorter folder with --state"),
        (
            ("serve", "--config", "good.yaml", "--store", "mysql://db/x"),
            "--store: a store is sqlite:///FILE or postgresql",
        ),
        (("serve", "--config", "good.yaml", "--store", "postgresql://u:pw@db:x/y"), "--store: "),
        (("nonsense",), "nonsense"),
        (("down", "--timeout", "soon"), "timeout"),
        (("status", "--admin", "http://127.0.0.1:8081"), "is a URL or a path; write HOST:PORT"),
        (("status", "--admin", "127.0.0.1"), "has no port"),
        (("flip", "x", "service", "--reason", "\udcff"), "not text in UTF-8"),
        (("kill", "x", "--reason", "x", "--author", "\udcff"), "not text in UTF-8"),
        (("explain", "GET", "/\udcff", "--admin", "127.0.0.1:9"), "not text in UTF-8"),
        (("explain", "GE T", "/"), "must be one word, such as GET"),
        (("explain", "GET", "/a b"), "write %20 or %23"),
        (("explain", "GET", "/", "--client", "me"), "--client me: write an address"),
        (("kill", "x", "--reason", " "), "say why in a few words"),
        (("hold", "x", "--reason", "x", "--for", "soon"), "such as 5s or 800ms"),
        (("hold", "x", "--reason", "x", "--for", "nan"), "--for nan: write a time from 50ms to 60s"),
        (("hold", "x", "--reason", "x", "--for", "2m"), "--for 2m"),
        (("hold", "x", "--reason", "x", "--drain-within", "-1s"), "--drain-within -1s: write a time from 50ms to 10s"),
        (("hold", "x", "--reason", "x", "--max", "0"), "--max"),
        (("auth", "new-key", " "), "OWNER must say who"),
        (("auth", "new-key", "billing", "--scope", "orders:read orders:write"), "is no scope or role"),
    ],
)
def test_bad_usage_ends_with_2_and_says_what_is_wrong(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("monolith: http://127.0.0.1:8000\n")
    ran = strangler(*arguments)
    assert ran.status == 2
    assert message in ran.err
    assert "u:pw" not in ran.err


def test_a_secret_that_is_missing_ends_the_start_and_not_the_check_of_a_file(tmp_path: Path) -> None:
    session = "authentication: {session: {flask_session: {secret: env:THERE_IS_NONE}}}"
    (tmp_path / "strangler.yaml").write_text(f"monolith: http://127.0.0.1:8000\n{session}\n")
    ran = strangler("serve")
    assert (ran.status, "line 2: authentication.session.flask_session.secret: " in ran.err) == (2, True), ran.err
    assert strangler("check").status == 0
    (tmp_path / "strangler.yaml").write_text(
        f"monolith: http://127.0.0.1:8000\n{session.replace('env:THERE_IS_NONE', 'file:none')}\n"
    )
    assert strangler("check").status == 2
    assert strangler("check", "--without-files").status == 0


def test_a_token_that_cannot_stand_in_a_header_is_refused_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.yaml").write_text("monolith: http://127.0.0.1:8000\n")
    monkeypatch.setenv("STRANGLER_ADMIN_TOKEN", "sésame-ouvre-toi-vite")
    for command in (("status", "--admin", "127.0.0.1:9"), ("serve", "--config", "good.yaml")):
        ran = strangler(*command)
        assert (ran.status, "STRANGLER_ADMIN_TOKEN" in ran.err) == (2, True), ran.err


def test_the_reference_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
    assert page.read_text() == reference(), "python -m strangler.cli.reference > docs/reference/cli.md"


def test_the_command_line_starts_without_what_is_heavy() -> None:
    heavy = ("rich", "httpx", "pydantic", "yaml", "fastapi", "sqlalchemy", "uvicorn", "uvloop")
    code = f"import sys, strangler.cli.app; print([name for name in {heavy!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "[]\n"


def test_the_shell_is_taught_commands_and_targets(state: StateFolder) -> None:
    environment = {
        **os.environ,
        "_STRANGLER_COMPLETE": "complete_bash",
        "COMP_WORDS": "strangler flip prod",
        "COMP_CWORD": "2",
    }
    ran = subprocess.run([STRANGLER], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ran.stdout.split() == ["products-get", "products-list"]
    assert json.dumps(ran.stderr) == '""'

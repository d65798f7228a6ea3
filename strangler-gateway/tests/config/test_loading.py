"""What a configuration comes to, and how the environment takes part."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.config import load, load_text, percent_from_weight, weight_from_percent
from strangler.model.authentication import Secret
from strangler.model.errors import ConfigError
from strangler.model.flag import Flag, Stage
from strangler.model.route import CATCH_ALL, PathKind, Retries, StickySource, SubjectKind
from strangler.model.shadow import ArrayRule, Comparing, Ignored, Mirroring, Redaction, Shadow
from strangler.model.telemetry import LogSettings
from strangler.model.upstream import Balance, Breaker, Endpoint, HealthCheck, RetryBudget, Upstream

HEADERS = [name.title() for name in Comparing().headers]
GOOD = (Path(__file__).parent / "good.yaml").read_text()


def test_a_monolith_alone_is_a_complete_configuration() -> None:
    loaded = load_text("monolith: http://127.0.0.1:9000")
    (catch_all,) = loaded.topology.routes
    assert (catch_all.name, catch_all.match.path, catch_all.match.kind) == (CATCH_ALL, "/", PathKind.PREFIX)
    assert (catch_all.strict, catch_all.service, catch_all.monolith) == (False, None, "monolith")
    assert loaded.topology.upstreams[0].endpoints == (Endpoint("127.0.0.1", 9000),)
    assert loaded.first == ()


def test_the_monolith_may_stand_among_the_upstreams() -> None:
    loaded = load_text("upstreams: {monolith: {endpoints: [http://a:1, http://b], connect_timeout: 1}}")
    (monolith,) = loaded.topology.upstreams
    assert (monolith.endpoints, monolith.connect_timeout) == ((Endpoint("a", 1), Endpoint("b", 80)), 1.0)


def test_everything_in_the_file_arrives() -> None:
    loaded = load_text(GOOD)
    route = loaded.topology.by_name["products-get"]
    assert (route.module, route.group, route.service, route.writes) == (
        "catalog", "catalog", "catalog", ("catalog", "inventory"),
    )  # fmt: skip
    assert route.match.headers == (("x-variant", "new"),)
    assert route.match.query == (("v", "2"),)
    assert route.match.methods == {"GET"}
    assert route.sticky == (
        StickySource(SubjectKind.HEADER, "x-user"),
        StickySource(SubjectKind.COOKIE, "session"),
        StickySource(SubjectKind.ADDRESS),
    )
    assert (route.timeouts.response, route.timeouts.idle) == (10, 30)
    assert (route.timeouts.request, route.fallback, route.retries) == (40, True, Retries(3, frozenset((502, 503))))
    assert loaded.topology.upstreams[0] == Upstream(
        "catalog",
        (Endpoint("127.0.0.1", 8091), Endpoint("::1", 8092)),
        connect_timeout=2.5,
        max_pending=10,
        pending_timeout=4,
        balance=Balance.LEAST_LOADED,
        breaker=Breaker(60, 20, 5, 3, 1),
        outlier=None,
        health=HealthCheck("/readyz", 1, statuses=((200, 200), (300, 399))),
        retry_budget=RetryBudget(5, 1),
    )
    assert loaded.first == (
        Flag("products-list", Stage.SERVICE), Flag("products-get", Stage.CANARY, 1250), Flag("legacy"),
        Flag("reshaped"),
    )  # fmt: skip
    assert loaded.topology.upstreams[0].endpoints[1] == Endpoint("::1", 8092)
    assert loaded.topology.gateway.trusted_proxies == ("10.0.0.0/8", "fd00::/8")
    log = LogSettings("off", 0.5, errors=True, slow=None, also=frozenset(("query",)), redact=("token",))
    assert (loaded.topology.gateway.access_log, loaded.topology.gateway.limits.header_count) == (log, 100)
    assert (loaded.serve.health, loaded.serve.workers) == (Endpoint("127.0.0.1", 8082), 2)
    (process,) = loaded.processes
    assert (process.name, process.before, process.env) == (
        "shop",
        ("shop seed",),
        (("DATABASE_URL", "sqlite:///shop.db"),),
    )
    assert loaded.places["products-get"].line == GOOD[: GOOD.index("  - name: products-get")].count("\n") + 1


def test_a_parameter_that_holds_an_api_key_is_redacted_whatever_the_file_redacts() -> None:
    text = """
monolith: http://m
gateway: {access_log: {to: stdout, also: [query], redact: [email]}}
authentication:
  partners: {api_keys: {query: Partner, keys_file: keys.jsonl}}
"""
    assert load_text(text).topology.gateway.access_log.redact == ("email", "partner")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://issuer.internal/jwks", True),
        ("http://10.0.0.7:8080/jwks", True),
        ("http://127.0.0.1:8080/jwks", False),
        ("http://localhost/jwks", False),
        ("https://issuer.internal/jwks", False),
    ],
)
def test_keys_that_come_over_a_network_in_the_clear_are_warned_of(url: str, warned: bool) -> None:
    jwt = f"{{issuer: i, audience: [], keys_url: '{url}'}}"
    loaded = load_text(f"monolith: http://m\nauthentication:\n  tokens:\n    jwt: {jwt}\n")
    assert [(each.line, each.place) for each in loaded.warnings] == [(4, "authentication.tokens.jwt.keys_url")] * warned


def test_all_that_is_said_about_shadowing_arrives_and_routes_share_it_by_an_anchor() -> None:
    topology = load_text(GOOD).topology
    shared = topology.by_name["products-list"].shadow
    assert shared == Shadow(
        sample=0.5, noise=0.1, at_most=0.01, alpha=0.01, request_bytes=4096, answer_bytes=262_144, timeout=2,
        max_age=30, rate=20, writes=True, samples=5,
        comparing=Comparing(
            normalise=("date-notation", "error-envelope"),
            headers=("content-type", "etag"),
            ignore=(
                Ignored("body.items[].updated_at", "a clock", "2027-03-31"),
                Ignored("header.x-served-by", "it differs on purpose"),
            ),
            arrays=(ArrayRule("body.items", "key", "id"), ArrayRule("body.items[].tags", "set")),
            tolerances=(("body.total", 0.01),),
            generated=("body.request_id",),
            max_bytes=70_000,
            max_depth=20,
        ),
        redaction=Redaction(("accept", "content-type"), ("page",), ("body.customer.*",), ("CUST-[0-9]{6}",)),
    )  # fmt: skip
    assert topology.by_name["reshaped"].shadow == shared
    assert topology.gateway.shadow == Mirroring(500, 8_388_608, Secret(env="SHADOW_SECRET"))


@pytest.mark.parametrize(
    "said", ["", "shadow: {}", f"shadow: {{compare: {{headers: {sorted(HEADERS, reverse=True)}}}}}"]
)
def test_a_route_of_which_nothing_is_said_is_shadowed_by_the_defaults(said: str) -> None:
    text = """\
monolith: http://m
upstreams: {c: {endpoints: [http://c]}}
routes:
  - name: a
    match: {path: /a}
    service: c
    """
    route = load_text(text + said).topology.routes[0]
    assert (route.shadow, route.shadowing) == (None, Shadow())


def test_module_and_group_follow_from_what_is_given() -> None:
    routes = "routes: [{name: a, match: {path: /a}}, {name: b, match: {path: /b}, module: m}]"
    topology = load_text(f"monolith: http://m\n{routes}").topology
    assert [(route.module, route.group) for route in topology.routes[:2]] == [("a", "a"), ("m", "m")]


def test_every_problem_is_reported_in_one_round() -> None:
    text = """\
monolith: ftp://m
upstreams:
  catalog: {endpoints: [http://c], conect_timeout: 5}
gateway: {listen: 127.0.0.1:1, admin: 127.0.0.1:1}
routes:
  - name: a
    match: {path: "/{x}/{x}"}
    service: catalog
    weight: 0.001
    sticky: [ip]
  - {name: b, match: {path: /b}, service: catlog, strict: yes}
  - {name: b, match: {path: /b}, stage: service}
workers: 2
"""
    with pytest.raises(ConfigError) as refused:
        load_text(text)
    assert [(problem.line, problem.place) for problem in refused.value.problems] == [
        (1, "monolith"),
        (3, "upstreams.catalog.conect_timeout"),
        (4, "gateway.admin"),
        (7, "routes[0].match.path"),
        (9, "routes[0].weight"),
        (10, "routes[0].sticky[0]"),
        (11, "routes[1].strict"),
        (11, "routes[1].service"),
        (12, "routes[2].name"),
        (12, "routes[2].match"),
        (12, "routes[2].stage"),
        (13, "workers"),
    ]


def test_routes_with_other_conditions_on_one_path_stand_beside_each_other() -> None:
    text = """\
monolith: http://m
routes:
  - {name: a, match: {path: "/x/{a}", methods: [GET]}}
  - {name: b, match: {path: "/x/{b}", methods: [GET, POST]}}
  - {name: c, match: {path: "/x/{c}"}}
  - {name: d, match: {path: "/x/{d}", methods: [GET], headers: {v: "1"}}}
  - {name: e, match: {prefix: /x/}}
  - {name: f, match: {path: "/x/{f}", methods: [HEAD]}}
"""
    topology = load_text(text).topology
    assert len(topology.routes) == 7
    assert topology.by_name["e"].match.path == "/x"


def test_methods_that_earlier_routes_share_out_leave_nothing_to_a_later_one() -> None:
    match = 'match: {path: "/x", methods: '
    routes = f"routes: [{{name: a, {match}[GET]}}}}, {{name: b, {match}[POST]}}}}, {{name: c, {match}[POST, GET]}}}}]"
    with pytest.raises(ConfigError, match="can never match: «a», «b» before it"):
        load_text(f"monolith: http://m\n{routes}")


def test_the_fingerprint_is_of_the_meaning_and_not_of_the_text() -> None:
    commented = "# a comment\n" + GOOD.replace("  workers: 2\n", "").replace("methods: [GET]}", '"methods": ["GET"] }')
    assert load_text(commented).topology.fingerprint == load_text(GOOD).topology.fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/legacy", "/old"),
        ("idle: 30", "idle: 31"),
        ("127.0.0.1:8090\n", "127.0.0.1:8099\n"),
        ("header_count: 100", "header_count: 99"),
    ],
)
def test_the_fingerprint_changes_with_the_topology(old: str, new: str) -> None:
    assert load_text(GOOD.replace(old, new, 1)).topology.fingerprint != load_text(GOOD).topology.fingerprint


def test_the_first_stage_is_not_part_of_the_topology() -> None:
    changed = load_text(GOOD.replace("weight: 12.5", "weight: 50"))
    assert changed.topology == load_text(GOOD).topology
    assert changed.first != load_text(GOOD).first


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = "import sys; from strangler.config import load_text; print(load_text(sys.argv[1]).topology.fingerprint)"
    printed = [
        subprocess.run(
            [sys.executable, "-c", code, GOOD],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    ]
    assert printed == [load_text(GOOD).topology.fingerprint] * 2


def test_the_environment_overrides_the_gateway_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANGLER_GATEWAY__WORKERS", "7")
    monkeypatch.setenv("STRANGLER_GATEWAY__LIMITS__HEADER_COUNT", "50")
    monkeypatch.setenv("STRANGLER_GATEWAY__TRUSTED_PROXIES", '["192.0.2.0/24"]')
    monkeypatch.setenv("STRANGLER_GATEWAY__ACCESS_LOG", "stdout")
    loaded = load_text(GOOD)
    limits = loaded.topology.gateway.limits
    assert (loaded.serve.workers, limits.header_count, limits.target_bytes) == (7, 50, 8192)
    assert loaded.topology.gateway.trusted_proxies == ("192.0.2.0/24",)
    assert loaded.topology.gateway.access_log.to == "stdout"


def test_auto_means_one_worker_per_core() -> None:
    assert load_text(GOOD.replace("  workers: 2", "  workers: auto")).serve.workers == 0
    assert load_text("monolith: http://127.0.0.1:8090").serve.workers == 0


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("STRANGLER_GATEWAY__WORKERS", "many", "integer"),
        ("STRANGLER_GATEWAY__LIMITS", "many", "mapping"),
        ("STRANGLER_GATEWAY__WORKRES", "2", "did you mean workers"),
        ("STRANGLER_GATEWAY__LIMITS__HEADER_COUNT", "0", "greater than"),
        ("STRANGLER_GATEWAY__ADMIN", "127.0.0.1:8080", "address of «listen»"),
    ],
)
def test_an_error_in_the_environment_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError) as refused:
        load_text(GOOD)
    (problem,) = refused.value.problems
    assert (problem.line, problem.place) == (0, variable)
    assert says in problem.message


def test_a_list_in_the_environment_that_is_no_json_is_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRANGLER_GATEWAY__TRUSTED_PROXIES", "10.0.0.0/8")
    with pytest.raises(ConfigError, match="as JSON"):
        load_text(GOOD)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file or directory; `strangler init` writes one"):
        load(tmp_path / "strangler.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"monolith: \xff")
    with pytest.raises(ConfigError, match="not UTF-8: byte 10"):
        load(tmp_path / "latin.yaml")


@pytest.mark.parametrize("text", ["monolith: " + "[" * 3000 + "]" * 3000, "{a: " * 3000 + "}" * 3000])
def test_a_file_that_is_nested_without_end_is_one_problem(text: str) -> None:
    with pytest.raises(ConfigError, match="nested more deeply") as refused:
        load_text(text)
    assert len(refused.value.problems) == 1


def test_a_password_in_an_endpoint_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ConfigError) as refused:
        load_text("monolith: https://me:secret@m")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "# nothing", "5", "[a]", "~", "a: &a [*a]", "monolith: &a {x: *a}", "? {a: 1}\n: 2"]
)
def test_what_is_no_configuration_at_all_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        load_text(text)


@given(data=st.data())
def test_no_edit_of_the_text_ends_in_anything_but_a_configuration_or_a_list_of_problems(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 40)))
    text = GOOD[:start] + data.draw(st.text(max_size=20)) + GOOD[end:]
    problems = None
    try:
        load_text(text)
    except ConfigError as refused:
        problems = refused.problems
    lines = len(text.splitlines()) + 2
    assert problems is None or problems
    assert all(0 <= problem.line <= lines and problem.message for problem in problems or ())


@given(st.integers(0, 10_000))
def test_a_weight_survives_the_way_to_percent_and_back(weight: int) -> None:
    assert weight_from_percent(percent_from_weight(weight)) == weight
    assert weight_from_percent(weight / 100) == weight


@pytest.mark.parametrize("place", ["off", "stdout", "/var/log/access.jsonl"])
def test_an_access_log_may_be_just_its_place(place: str) -> None:
    text = f"monolith: http://127.0.0.1:1\ngateway: {{access_log: {place}}}\n"
    log = load_text(text).topology.gateway.access_log
    assert (log.to, log.sample, log.errors, log.slow, log.also) == (place, 1.0, True, 1.0, frozenset())
    assert "token" in log.redact


def test_traces_without_their_library_are_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"gateway.trace.to.*pip install 'strangler\[otlp\]'"):
        load_text(GOOD)
    load_text("monolith: http://127.0.0.1:1")

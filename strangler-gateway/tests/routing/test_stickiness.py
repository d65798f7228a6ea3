"""What a flag promises to a subject, as properties."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from strangler.model.decision import Arm, Reason
from strangler.model.flag import FULL_WEIGHT, Flag, Stage
from strangler.model.route import CATCH_ALL, PathKind, Route, RouteMatch, StickySource, SubjectKind
from strangler.model.snapshot import Gateway, Snapshot
from strangler.model.upstream import Endpoint, Upstream
from strangler.routing.bucket import bucket
from strangler.routing.evaluator import evaluate, settled
from strangler.routing.explain import explain

weights = st.integers(0, FULL_WEIGHT)
subjects = st.text(min_size=1)


def arm(weight: int, subject: str | None, *, cohorts: tuple[str, ...] = (), group: str = "g") -> Arm:
    return evaluate(Flag("r", Stage.CANARY, weight, cohorts), group, subject).arm


@given(weights, weights, subjects)
def test_raising_the_weight_sends_nobody_back(one: int, other: int, subject: str) -> None:
    low, high = sorted((one, other))
    assert not (arm(low, subject) is Arm.SERVICE and arm(high, subject) is Arm.MONOLITH)


@given(weights, weights, subjects)
def test_lowering_the_weight_moves_only_those_above_it(one: int, other: int, subject: str) -> None:
    low, high = sorted((one, other))
    moved = arm(high, subject) is not arm(low, subject)
    assert moved == (low <= bucket("g", subject) < high)


@given(subjects)
def test_weight_zero_sends_nobody_and_full_weight_everybody(subject: str) -> None:
    assert arm(0, subject) is Arm.MONOLITH
    assert arm(FULL_WEIGHT, subject) is Arm.SERVICE


@given(weights, subjects)
def test_routes_of_one_group_move_together(weight: int, subject: str) -> None:
    flags = [Flag(name, Stage.CANARY, weight) for name in ("products-get", "products-list")]
    assert len({evaluate(flag, "catalog", subject) for flag in flags}) == 1


@given(weights, subjects)
def test_a_cohort_goes_to_the_service_regardless_of_the_weight(weight: int, subject: str) -> None:
    decision = evaluate(Flag("r", Stage.CANARY, weight, (subject,)), "g", subject)
    assert (decision.arm, decision.reason) == (Arm.SERVICE, Reason.COHORT)


@given(weights)
def test_a_request_without_a_subject_goes_to_the_monolith(weight: int) -> None:
    decision = evaluate(Flag("r", Stage.CANARY, weight), "g", None)
    assert (decision.arm, decision.reason) == (Arm.MONOLITH, Reason.NO_SUBJECT)


def test_stages_but_canary_are_settled_without_a_subject() -> None:
    reasons = {stage: settled(Flag("r", stage)) for stage in Stage}
    assert reasons[Stage.CANARY] is None
    assert {stage: decision.arm for stage, decision in reasons.items() if decision} == {
        Stage.MONOLITH: Arm.MONOLITH,
        Stage.SHADOW: Arm.MONOLITH,
        Stage.SERVICE: Arm.SERVICE,
        Stage.RETIRED: Arm.MONOLITH,
    }


def test_the_service_is_asked_too_where_the_monolith_answers_at_shadow_and_canary() -> None:
    canary = Flag("r", Stage.CANARY, 0, ("vip",))
    assert {subject: evaluate(canary, "g", subject).mirror for subject in ("u1", None, "vip")} == {
        "u1": True, None: True, "vip": False,
    }  # fmt: skip
    mirrored = {stage for stage in Stage if (decision := settled(Flag("r", stage))) and decision.mirror}
    assert mirrored == {Stage.SHADOW}


def test_a_killed_route_is_not_mirrored() -> None:
    snapshot = replace(SNAPSHOT, flags=(Flag("r", Stage.SHADOW),))
    assert explain(snapshot, frozenset(), "GET", "/r").mirror
    assert not explain(snapshot, frozenset({"r"}), "GET", "/r").mirror


ROUTE = Route(
    "r",
    RouteMatch("/r"),
    module="m",
    group="g",
    monolith="old",
    service="new",
    sticky=(StickySource(SubjectKind.HEADER, "x-user"), StickySource(SubjectKind.ADDRESS)),
)
REST = Route(CATCH_ALL, RouteMatch("/", PathKind.PREFIX), CATCH_ALL, CATCH_ALL, "old", strict=False)
SNAPSHOT = Snapshot(
    3, "t", Gateway(), (Upstream("old", (Endpoint("h", 1),)), Upstream("new", (Endpoint("h", 2),))), (ROUTE, REST)
)


@given(st.sampled_from([Stage.CANARY, Stage.SERVICE]), weights, subjects)
def test_a_kill_moves_everybody(stage: Stage, weight: int, subject: str) -> None:
    snapshot = replace(SNAPSHOT, flags=(Flag("r", stage, weight, (subject,)),))
    found = explain(snapshot, frozenset({"r"}), "GET", "/r", [("X-User", subject)])
    assert (found.arm, found.reason) == (Arm.MONOLITH, Reason.KILLED)


def test_an_explanation_names_everything_that_led_to_it() -> None:
    snapshot = replace(SNAPSHOT, flags=(Flag("r", Stage.CANARY, FULL_WEIGHT),))
    found = explain(snapshot, frozenset(), "get", "/r?x=1", [("X-User", "u1")])
    assert (found.route, found.arm, found.reason, found.upstream) == ("r", Arm.SERVICE, Reason.BELOW_WEIGHT, "new")
    assert (found.subject, found.bucket, found.weight, found.revision) == ("u1", bucket("g", "u1"), "100.00", 3)


def test_what_no_route_takes_goes_to_the_monolith() -> None:
    found = explain(SNAPSHOT, frozenset({CATCH_ALL}), "POST", "/elsewhere")
    assert (found.route, found.arm, found.reason) == (CATCH_ALL, Arm.MONOLITH, Reason.NO_ROUTE)

"""What a flip would change, and what it is refused for."""

import pytest

from strangler.config import load_text
from strangler.control.flips import FlipInvalid, FlipRequest, plan_flip
from strangler.control.targets import UnknownTarget
from strangler.model.errors import FlipRefused
from strangler.model.flag import Flag, Stage

TOPOLOGY = load_text("""\
monolith: http://m
upstreams: {catalog: {endpoints: [http://c]}}
routes:
  - {name: list, match: {path: /p}, module: catalog, service: catalog}
  - {name: get, match: {path: "/p/{id}"}, module: catalog, service: catalog}
  - {name: import, match: {path: /import}, module: catalog}
  - {name: old, match: {prefix: /old}, module: legacy}
""").topology


def plan(target: str, stage: Stage, weight: int | None = None, cohorts: tuple[str, ...] | None = None, **flags: Flag):
    return plan_flip(FlipRequest(target, stage, "me", "why", weight, cohorts), TOPOLOGY, flags, frozenset({"get"}))


def test_a_module_moves_all_its_routes_with_a_service_arm_and_names_the_others() -> None:
    planned = plan("catalog", Stage.SERVICE)
    assert [(part.route, part.after.stage) for part in planned.changes] == [
        ("list", Stage.SERVICE), ("get", Stage.SERVICE),
    ]  # fmt: skip
    assert planned.warnings == (
        "import was left out: it has no service arm",
        "get is killed: it goes to the monolith until the kill is lifted",
    )


def test_a_route_moves_alone() -> None:
    planned = plan("list", Stage.CANARY, 500)
    assert [part.after for part in planned.changes] == [Flag("list", Stage.CANARY, 500)]
    assert planned.warnings == ()


@pytest.mark.parametrize("target", ["import", "old", "legacy"])
@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.CANARY, Stage.SERVICE])
def test_what_has_no_service_arm_cannot_leave_the_monolith(target: str, stage: Stage) -> None:
    with pytest.raises(FlipRefused, match="service arm"):
        plan(target, stage, 500 if stage is Stage.CANARY else None)


def test_what_has_no_service_arm_may_be_sent_where_it_is() -> None:
    assert plan("legacy", Stage.MONOLITH).changes == ()


def test_a_stage_that_does_not_work_yet_is_refused_by_name() -> None:
    with pytest.raises(FlipRefused, match="«retired» is not available yet; use monolith, shadow, canary or service"):
        plan("catalog", Stage.RETIRED)


def test_a_module_is_shadowed_where_it_has_something_to_compare_with() -> None:
    planned = plan("catalog", Stage.SHADOW, list=Flag("list", Stage.CANARY, 500, ("u1",)))
    assert [part.after for part in planned.changes] == [Flag("list", Stage.SHADOW), Flag("get", Stage.SHADOW)]


def test_the_catch_all_is_never_moved() -> None:
    with pytest.raises(FlipRefused, match="always goes to the monolith"):
        plan("catch-all", Stage.SERVICE)


def test_an_unknown_target_is_told_its_near_names() -> None:
    with pytest.raises(UnknownTarget, match="did you mean catalog") as unknown:
        plan("Catalogue", Stage.SERVICE)
    assert unknown.value.near == ["catalog"]


def test_a_canary_keeps_the_weight_and_the_cohorts_that_are_not_given() -> None:
    before = Flag("list", Stage.CANARY, 500, ("u1",))
    assert plan("list", Stage.CANARY, 700, list=before).changes[0].after == Flag("list", Stage.CANARY, 700, ("u1",))
    assert plan("list", Stage.CANARY, None, ("u2",), list=before).changes[0].after == Flag(
        "list", Stage.CANARY, 500, ("u2",)
    )
    assert plan("list", Stage.CANARY, 500, (), list=before).changes[0].after == Flag("list", Stage.CANARY, 500)
    assert plan("list", Stage.CANARY, list=before).changes == ()


def test_leaving_the_canary_forgets_weight_and_cohorts() -> None:
    before = Flag("list", Stage.CANARY, 500, ("u1",))
    assert plan("list", Stage.MONOLITH, list=before).changes[0].after == Flag("list")


def test_a_new_canary_needs_a_weight_or_a_cohort() -> None:
    with pytest.raises(FlipInvalid, match="needs a weight"):
        plan("list", Stage.CANARY)
    assert plan("list", Stage.CANARY, None, ("u1",)).changes[0].after == Flag("list", Stage.CANARY, 0, ("u1",))


def test_a_weight_without_a_canary_is_invalid() -> None:
    with pytest.raises(FlipInvalid, match="canary only"):
        plan("list", Stage.SERVICE, 500)

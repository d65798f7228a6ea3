"""What a change affects, by a table of cases: first in a small workspace, then in this one."""

import re
from pathlib import Path

import pytest

from ci import workspace
from pipeline.members import ROOT, Member, WorkspaceIsWrong, members, services, suites
from pipeline.selection import Selection, Workspace, read, select

ALL = {"kit", "chassis", "catalog", "monolith", "architecture", "contract", "docs", "support"}
CASES = [
    ("a service", ["extracted/catalog/src/catalog_service/service.py"], {"catalog", "architecture", "contract"}),
    ("the chassis", ["extracted/chassis/src/chassis/logs.py"], {"chassis", "catalog", "architecture", "contract"}),
    ("a library under it", ["kit/src/kit_package/x.py"], {"kit", "chassis", "catalog", "architecture", "contract"}),
    ("the monolith", ["monolith/src/shop/cli.py"], {"monolith", "architecture", "contract"}),
    ("what a member declares", ["extracted/catalog/pyproject.toml"], {"catalog", "architecture", "contract"}),
    ("tests of the chassis", ["extracted/chassis/tests/test_logs.py"], {"chassis", "architecture"}),
    ("a suite", ["tests/contract/test_cases.py"], {"contract", "monolith", "architecture"}),
    ("shared test code", ["tests/support/database.py"], {"chassis", "support", "architecture"}),
    ("another suite", ["tests/support_tests/test_database.py"], {"support", "architecture"}),
    ("a page", ["docs/page.md"], {"docs"}),
    ("a page of a member", ["extracted/catalog/README.md"], {"docs"}),
    ("the changelog", ["CHANGELOG.md"], {"docs"}),
    (
        "a page and a service",
        ["docs/page.md", "extracted/catalog/x.py"],
        {"docs", "catalog", "architecture", "contract"},
    ),
    ("text that tests read", ["extracted/catalog/tests/data.md"], {"catalog", "architecture"}),
    ("text in a package", ["monolith/src/shop/mail.md"], {"monolith", "architecture", "contract"}),
    ("nothing", [], set()),
    ("versions", ["constraints.txt"], ALL),
    ("the Makefile", ["Makefile"], ALL),
    ("settings of all", ["pyproject.toml"], ALL),
    ("a step", ["ci/lint"], ALL),
    ("a pipeline", [".github/workflows/pipeline.yml"], ALL),
    ("one for all beside one of a member", ["monolith/src/shop/cli.py", "conftest.py"], ALL),
    ("a file whose member is gone", ["extracted/orders/src/orders_service/x.py"], ALL),
    ("a suite that is gone", ["tests/e2e/test_x.py"], ALL),
    ("a file in tests", ["tests/conftest.py"], ALL),
    ("a name that begins like a member's", ["monolith-old/x.py"], ALL),
]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return read(workspace.make(tmp_path_factory.mktemp("workspace")))


@pytest.mark.parametrize(("paths", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_change_selects_what_it_affects_and_nothing_else(
    paths: list[str], expected: set[str], small: Workspace
) -> None:
    found = select(paths, small)
    assert set(found.tests) == expected
    assert set(found.because) == expected


def test_only_members_are_isolated_and_only_changed_programs_get_images(small: Workspace) -> None:
    chassis = select(["extracted/chassis/src/chassis/logs.py"], small)
    assert set(chassis.isolation) == {"chassis", "catalog"}
    assert chassis.images == ("catalog",)
    tests = select(["monolith/tests/test_cli.py"], small)
    assert tests.isolation == ("monolith",)
    assert tests.images == ()


def test_a_new_member_is_found_by_its_pyproject_and_depends_at_once(tmp_path: Path) -> None:
    root = workspace.make(tmp_path)
    workspace.write(root, workspace.member("extracted/orders", "orders-service", "orders_service", "chassis"))
    found = select(["extracted/chassis/src/chassis/logs.py"], read(root))
    assert {"orders", "catalog"} <= set(found.isolation)
    assert set(select(["extracted/orders/pyproject.toml"], read(root)).tests) == {"orders", "architecture"}
    suites = (root / "ci" / "suites.toml").read_text()
    (root / "ci" / "suites.toml").write_text(suites.replace('["monolith", "catalog"]', '["*"]'))
    assert "contract" in select(["extracted/orders/pyproject.toml"], read(root)).tests


def test_a_dependency_that_only_an_import_shows_counts_as_well(tmp_path: Path) -> None:
    root = workspace.make(tmp_path)
    workspace.write(root, {"monolith/src/shop/late.py": "def f():\n    from chassis import logs\n"})
    assert "monolith" in select(["kit/src/kit_package/marks.py"], read(root)).tests


@pytest.mark.parametrize("folder", ["extracted/Orders", "extracted/a;b", "extracted/-x", "extracted/a$b"])
def test_a_member_whose_name_a_shell_would_read_is_refused(folder: str, tmp_path: Path) -> None:
    workspace.write(workspace.make(tmp_path), workspace.member(folder, "orders", "orders"))
    with pytest.raises(WorkspaceIsWrong, match="no name for a member"):
        members(tmp_path)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    workspace.write(workspace.make(tmp_path), workspace.member("other/catalog", "other", "other"))
    with pytest.raises(WorkspaceIsWrong, match="same folder name: catalog"):
        members(tmp_path)


# This workspace


@pytest.fixture(scope="module")
def here() -> Workspace:
    return read()


def of_members(found: Selection, here: Workspace) -> set[str]:
    return set(found.tests) & {member.name for member in here.members}


def test_a_change_in_the_catalog_selects_the_catalog_and_the_suites_that_use_it(here: Workspace) -> None:
    found = select(["extracted/catalog/src/catalog_service/service.py"], here)
    assert found.isolation == ("catalog",)
    assert {"contract", "e2e", "shadow"} <= set(found.tests)
    assert not {"conformance", "support"} & set(found.tests)
    assert of_members(found, here) - {"benchmarks"} == {"catalog"}


def test_a_change_in_the_chassis_selects_all_services(here: Workspace) -> None:
    found = select(["extracted/chassis/src/chassis/logs.py"], here)
    assert {service.name for service in services(here.members)} | {"chassis"} <= set(found.isolation)
    assert not {"monolith", "strangler-gateway", "kit"} & set(found.tests)


def test_a_page_selects_the_tests_of_documents(here: Workspace) -> None:
    assert select(["docs/reference/limits.md", "README.md"], here).tests == ("docs",)


def test_every_member_of_the_makefile_is_found(here: Workspace) -> None:
    (listed,) = re.findall(r"^MEMBERS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(listed.split()) == sorted(member.folder for member in here.members)


def test_every_test_belongs_to_a_member_or_a_suite(here: Workspace) -> None:
    paths = {path for suite in here.suites for path in suite.paths}
    lost = [path.name for path in (ROOT / "tests").iterdir() if f"tests/{path.name}" not in paths and _has_tests(path)]
    assert not lost, "name them in ci/suites.toml"
    assert not [path for path in paths if not (ROOT / path).exists()]
    assert all((ROOT / member.folder / "tests").is_dir() for member in here.members)


def _has_tests(path: Path) -> bool:
    return path.name.startswith("test_") if path.is_file() else any(path.rglob("test_*.py"))


def test_what_suites_use_are_members(here: Workspace) -> None:
    known = {member.name for member in here.members}
    assert all(suite.uses <= known | {"*"} for suite in suites())


def test_every_test_that_reads_a_page_is_run_for_a_page(here: Workspace) -> None:
    """Elsewhere than in tests/docs they are single files, which ci/suites.toml names."""
    (docs,) = (suite for suite in here.suites if suite.name == "docs")
    folders = [Path(path) for path in docs.paths]
    readers = [
        path.relative_to(ROOT)
        for folder in ("tests", *(member.folder for member in here.members))
        for path in (ROOT / folder).rglob("test_*.py")
        if path != Path(__file__)
        and re.search(r'parents\[\d\] / "docs" /|ROOT / "docs/', path.read_text(encoding="utf-8"))
    ]
    lost = [path for path in readers if not any(folder == path or folder in path.parents for folder in folders)]
    assert readers
    assert not lost, "name them under [docs] in ci/suites.toml"


def test_no_service_needs_more_than_its_folder_and_the_chassis(here: Workspace) -> None:
    found: list[Member] = services(here.members)
    assert found
    for service in found:
        assert service.test_support == (), f"{service.name} cannot be tested alone"
        assert here.needs[service.name] <= {"chassis", "kit"}

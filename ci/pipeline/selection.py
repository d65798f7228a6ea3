"""What a change affects: members and suites whose sources, tests or dependencies it touches. No git and no output here.

A member's sources are affected if they changed, or if those of a member that they need are. Tests are affected if they
changed, if test code that they import did, or if sources that they import or start are. Whoever needs test code does
not need what that code tests: the contract suite asks the catalog service, the monolith takes only keys from there.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.members import ROOT, Member, Suite, imported, members, suites

DOCS = "docs"
"""The suite that reads the documents."""
ARCHITECTURE = "architecture"
"""The suite that reads every other file."""
BENCHMARKS = "benchmarks"
LIBRARIES = ("chassis", "kit")
"""Members that run in others, never by themselves."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Members, suites, and who uses whom, by name."""

    members: tuple[Member, ...]
    suites: tuple[Suite, ...]
    needs: Mapping[str, frozenset[str]]
    """Member -> members whose sources its own sources use."""
    tests_use: Mapping[str, frozenset[str]]
    """Member or suite -> members whose sources its tests use."""
    tests_share: Mapping[str, frozenset[str]]
    """Member or suite or folder of tests/ -> other folders of tests/ that it imports."""

    @property
    def test_folders(self) -> frozenset[str]:
        """What is directly in tests/."""
        shared = {name.removeprefix("tests/") for name in self.tests_share if name.startswith("tests/")}
        return frozenset(shared.union(*(suite.folders for suite in self.suites)))

    @property
    def names(self) -> list[str]:
        """Of all that has tests."""
        return [*(member.name for member in self.members), *(suite.name for suite in self.suites)]


@dataclass(frozen=True, slots=True)
class Selection:
    """What has to be done, in a stable order."""

    tests: tuple[str, ...]
    """Members and suites whose tests have to pass."""
    isolation: tuple[str, ...]
    """Members that have to pass alone."""
    images: tuple[str, ...]
    """Members whose image has to be built, if ci/images is there to build it."""
    benchmarks: bool
    """Whether anything may have become slower."""
    because: Mapping[str, str]
    """Name -> the first reason for its tests."""


def read(root: Path = ROOT) -> Workspace:
    """The workspace as its files are now."""
    everyone, spanning = tuple(members(root)), tuple(suites(root))
    owner = {name: member.name for member in everyone for name in member.imports}
    by_distribution = {member.distribution: member.name for member in everyone}
    shared = {path.name for path in (root / "tests").iterdir() if path.is_dir()} if (root / "tests").is_dir() else set()
    needs, uses, shares = {}, {}, {}
    for member in everyone:
        declared = {by_distribution[name] for name in member.requires & by_distribution.keys()}
        needs[member.name] = frozenset(_owners(imported(root / member.folder / "src"), owner) | declared) - {
            member.name
        }
        names = imported(root / member.folder / "tests")
        uses[member.name] = frozenset(_owners(names, owner) | {member.name})
        shares[member.name] = frozenset(names & shared)
    for folder in shared:
        shares[f"tests/{folder}"] = frozenset(imported(root / "tests" / folder) & shared) - {folder}
    for suite in spanning:
        names = frozenset[str]().union(*(imported(root / path) for path in suite.paths if path.startswith("tests/")))
        said = {member.name for member in everyone} if "*" in suite.uses else suite.uses
        uses[suite.name] = frozenset(_owners(names, owner) | said)
        shares[suite.name] = frozenset(names & shared)
    return Workspace(everyone, spanning, needs, uses, shares)


def everything(workspace: Workspace, why: str = "all was asked for") -> Selection:
    """All that there is."""
    return _selection(workspace, dict.fromkeys(workspace.names, why), [member.name for member in workspace.members])


def select(paths: Iterable[str], workspace: Workspace) -> Selection:
    """What a change of these files affects."""
    sources: dict[str, str] = {}
    tests: dict[str, str] = {}
    because: dict[str, str] = {}
    noted = {"document": because, "sources": sources, "member-tests": because, "tests": tests}
    for path in paths:
        kind, name = _place(path, workspace)
        if kind == "root":
            return everything(workspace, f"{path} concerns all")
        noted[kind].setdefault(name, path)
        if kind != "document":
            because.setdefault(ARCHITECTURE, path)
    _spread(sources, workspace.needs)
    _spread(tests, {name.removeprefix("tests/"): found for name, found in workspace.tests_share.items() if "/" in name})
    for name in workspace.names:
        _judge(name, workspace, sources, tests, because)
    return _selection(workspace, because, sources)


def _judge(
    name: str, workspace: Workspace, sources: Mapping[str, str], tests: Mapping[str, str], because: dict[str, str]
) -> None:
    """Note why the tests of a member or suite are affected, if they are."""
    used = next((other for other in sorted(workspace.tests_use[name]) if other in sources), None)
    if name in sources:
        because.setdefault(name, sources[name])
    elif used:
        because.setdefault(name, f"it uses {used} ({sources[used]})")
    own = {folder for suite in workspace.suites if suite.name == name for folder in suite.folders}
    shared = next((other for other in sorted(own | workspace.tests_share[name]) if other in tests), None)
    if shared:
        because.setdefault(name, f"tests/{shared} ({tests[shared]})")


def _place(path: str, workspace: Workspace) -> tuple[str, str]:
    """Say whose file that is. What nobody knows concerns all."""
    where = PurePosixPath(path)
    if path.startswith("docs/") or (where.suffix == ".md" and not {"src", "tests"} & set(where.parts)):
        return "document", DOCS
    if where.parts[0] == "tests" and where.parts[1] in workspace.test_folders:
        return "tests", where.parts[1]
    owners = [member for member in workspace.members if path.startswith(f"{member.folder}/")]
    if not owners:
        return "root", ""
    owner = max(owners, key=lambda member: len(member.folder))
    inside = where.relative_to(owner.folder)
    return ("member-tests" if inside.parts[0] == "tests" else "sources"), owner.name


def _spread(reached: dict[str, str], needs: Mapping[str, frozenset[str]]) -> None:
    """Add whoever needs what is reached, at any depth."""
    growing = True
    while growing:
        new = {name: reached[other] for name, found in needs.items() if name not in reached
               for other in sorted(found & reached.keys())[:1]}  # fmt: skip
        reached.update(new)
        growing = bool(new)


def _owners(names: Iterable[str], owner: Mapping[str, str]) -> set[str]:
    return {owner[name] for name in names if name in owner}


def _selection(workspace: Workspace, because: Mapping[str, str], sources: Container[str]) -> Selection:
    tests = tuple(name for name in workspace.names if name in because)
    installed = tuple(member.name for member in workspace.members if member.name in tests and member.name != BENCHMARKS)
    return Selection(
        tests=tests,
        isolation=installed,
        images=tuple(name for name in installed if name in sources and name not in LIBRARIES),
        benchmarks=BENCHMARKS in tests,
        because={name: because[name] for name in tests},
    )

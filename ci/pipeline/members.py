"""The members of this workspace and the suites that span them, from their pyproject.toml and from ci/suites.toml."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[2]
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_FOLDER = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""Pipelines put names into command lines."""
_IMPORT = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)


class WorkspaceIsWrong(ValueError):
    """A member or suite cannot be read, or nobody has that name; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Member:
    """A folder with a pyproject.toml of its own."""

    name: str
    """What steps and pipelines call it: the name of its folder."""
    folder: str
    """Relative to the root, with slashes."""
    distribution: str
    version: str
    imports: frozenset[str]
    """The top-level packages that it installs."""
    requires: frozenset[str]
    """Distributions that it declares, without versions and extras, normalised."""
    develops_with: tuple[str, ...]
    """Requirements of its dependency group `dev`, which its tests need."""
    test_support: tuple[str, ...]
    """Folders outside its own that its tests need; a service has none."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests in tests/ that span members."""

    name: str
    paths: tuple[str, ...]
    uses: frozenset[str]
    """Names of members that it starts as programs or reads as files, which no import shows; `*` for all."""

    @property
    def folders(self) -> frozenset[str]:
        """What it has whole of tests/: single files in other suites' folders are left to these."""
        parts = [PurePosixPath(path).parts for path in self.paths]
        return frozenset(found[1] for found in parts if found[0] == "tests" and len(found) == 2)


def members(root: Path = ROOT) -> list[Member]:
    """All members, found by their pyproject.toml; those within another come after it."""
    found = [path for depth in ("*", "*/*") for path in root.glob(f"{depth}/pyproject.toml")]
    kept = [path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts)]
    result = [_member(root, path) for path in sorted(kept, key=lambda path: path.parts)]
    names = Counter(member.name for member in result)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise WorkspaceIsWrong(f"two members have the same folder name: {', '.join(twice)}")
    return result


def suites(root: Path = ROOT) -> list[Suite]:
    """The suites of ci/suites.toml."""
    table = _toml(root / "ci" / "suites.toml")
    return [Suite(name, tuple(entry["paths"]), frozenset(entry["uses"])) for name, entry in table.items()]


def named(name: str, among: Iterable[Member]) -> Member:
    """The member of that name."""
    known = {member.name: member for member in among}
    if name not in known:
        raise WorkspaceIsWrong(f"there is no member «{name}»; there are {', '.join(sorted(known))}")
    return known[name]


def services(among: Iterable[Member]) -> list[Member]:
    """What has left the monolith: the members of extracted/ apart from the chassis."""
    return [member for member in among if member.folder.startswith("extracted/") and member.name != "chassis"]


def needed_by(member: Member, among: Iterable[Member], *, with_tests: bool = False) -> list[Member]:
    """The members that a member installs with itself, by what they declare, at any depth; or those of its tests too."""
    by_distribution = {other.distribution: other for other in among}
    found: dict[str, Member] = {}
    of_tests = {distribution(each) for each in member.develops_with} if with_tests else set()
    waiting = [member.requires | of_tests]
    while waiting:
        for name in sorted(waiting.pop() & by_distribution.keys()):
            other = by_distribution[name]
            if other.name not in found and other != member:
                found[other.name] = other
                waiting.append(other.requires)
    return list(found.values())


def imported(folder: Path) -> frozenset[str]:
    """Top-level names that the Python files of a folder import, anywhere in them."""
    return frozenset(name for text in _sources(folder) for name in _IMPORT.findall(text))


def _sources(folder: Path) -> Iterator[str]:
    files = [folder] if folder.is_file() else sorted(folder.rglob("*.py"))
    for path in files:
        yield path.read_text(encoding="utf-8")


def _member(root: Path, path: Path) -> Member:
    document = _toml(path)
    try:
        project = document["project"]
        packages = document["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        name, version = project["name"], project["version"]
    except KeyError as error:
        raise WorkspaceIsWrong(f"{path.relative_to(root)} has no {error}") from error
    if not _FOLDER.fullmatch(path.parent.name):
        raise WorkspaceIsWrong(f"«{path.parent.name}» is no name for a member: small letters, digits, hyphens")
    return Member(
        name=path.parent.name,
        folder=path.parent.relative_to(root).as_posix(),
        distribution=normalised(name),
        version=version,
        imports=frozenset(Path(package).name for package in packages),
        requires=frozenset(distribution(requirement) for requirement in project.get("dependencies", ())),
        develops_with=tuple(document.get("dependency-groups", {}).get("dev", ())),
        test_support=tuple(document["tool"].get("pipeline", {}).get("test-support", ())),
    )


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise WorkspaceIsWrong(f"{path} cannot be read: {error}") from error


def distribution(requirement: str) -> str:
    """The normalised name in a requirement such as `psycopg[binary]>=3.2`."""
    found = _NAME.match(requirement.strip())
    if not found:
        raise WorkspaceIsWrong(f"«{requirement}» is not a requirement")
    return normalised(found[0])


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()

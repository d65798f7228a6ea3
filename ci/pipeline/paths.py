"""Prints where the tests of members and suites are, one path a line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # started as a file, before anything is installed

from pipeline.members import ROOT, WorkspaceIsWrong, members, suites


def paths(names: list[str], root: Path = ROOT) -> list[str]:
    """Each path once, in the order of the names."""
    known = {suite.name: suite.paths for suite in suites(root)}
    known |= {member.name: (f"{member.folder}/tests",) for member in members(root)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise WorkspaceIsWrong(f"there is no member or suite «{unknown[0]}»; there are {', '.join(sorted(known))}")
    return list(dict.fromkeys(path for name in names for path in known[name]))


if __name__ == "__main__":
    try:
        sys.stdout.writelines(f"{path}\n" for path in paths(sys.argv[1:]))
    except WorkspaceIsWrong as error:
        sys.stderr.write(f"suite: {error}\n")
        sys.exit(2)

"""The files of the project: what a commit would hold, found without git so that an exported copy can be tested too."""

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _ignored() -> frozenset[str]:
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return frozenset(line.rstrip("/") for line in lines if line and not line.startswith("#"))


def files(*suffixes: str) -> Iterator[Path]:
    """Every file with one of these suffixes (all files if there are none), in a stable order, relative to the root."""
    ignored = _ignored() | {".git"}
    generated = tuple(name.removeprefix("*") for name in ignored if name.startswith("*"))
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in ignored and not name.endswith(generated))
        for name in sorted(names):
            path = Path(folder, name)
            if name not in ignored and (not suffixes or path.suffix in suffixes):
                yield path.relative_to(ROOT)

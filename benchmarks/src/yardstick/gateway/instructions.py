"""How many instructions the gateway's hot functions take, counted by valgrind, whom a busy machine does not disturb.

A process that calls a function so often is counted beside one that calls it more often; what start and warm-up take is
in both.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from strangler.supervisor import compiled
from yardstick.gateway.parts import PARTS

CALLS = 400
"""By which the two processes differ."""
_WITHIN = 600
_COUNTED = re.compile(r"Collected\s*:\s*(\d+)")
console = Console(highlight=False)
app = typer.Typer(add_completion=False)


class NotCountedError(RuntimeError):
    """There is no valgrind, or it counted nothing."""


def counted(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """The instructions that a command takes, in all its threads. Raises ``NotCountedError``."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NotCountedError("valgrind is missing, which counts instructions: apt-get install valgrind")
    whole = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    # Hashes decide how long a dictionary is searched: they are to be the same each time.
    told = {**(os.environ if environment is None else environment), "PYTHONHASHSEED": "0"}
    done = subprocess.run(whole, env=told, capture_output=True, text=True, timeout=_WITHIN, check=False)
    found = _COUNTED.search(done.stderr)
    if done.returncode or found is None:
        raise NotCountedError(f"{' '.join(command)} was not counted: {done.stderr[-1000:]}")
    return int(found[1])


def per_call(part: str, environment: Mapping[str, str]) -> float:
    """Instructions of one call. Raises ``NotCountedError``."""
    few, many = (
        counted([sys.executable, "-m", "yardstick.gateway.parts", part, str(calls)], environment)
        for calls in (CALLS, 2 * CALLS)
    )
    return (many - few) / CALLS


@app.command()
def instructions(
    part: Annotated[list[str] | None, typer.Option(help="Only this function; repeatable.")] = None,
    reports: Annotated[Path, typer.Option(help="The folder for the report.")] = Path("reports"),
) -> None:
    """Count the instructions of the hot functions, as they are compiled and as they stand in the sources."""
    unknown = set(part or ()) - set(PARTS)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: there is only {', '.join(PARTS)}", param_hint="--part")
    ways = {"sources": dict(os.environ)}
    if compiled.find() is not None:
        ways["compiled"] = compiled.environment()
    jobs = [(name, way) for name in part or PARTS for way in ways]
    try:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            found = dict(zip(jobs, threads.map(lambda job: per_call(job[0], ways[job[1]]), jobs), strict=True))
    except NotCountedError as error:
        console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    rows = []
    for name in part or PARTS:
        rows.append({"part": name, "what": PARTS[name].__doc__} | {way: round(found[name, way]) for way in ways})
        counts = "".join(f"{found[name, way]:12,.0f} {way}" for way in ways)
        console.print(f"{name:20}{counts}   {PARTS[name].__doc__}", soft_wrap=True)
    reports.mkdir(parents=True, exist_ok=True)
    (reports / "bench-instructions.json").write_bytes(orjson.dumps({"parts": rows}, option=orjson.OPT_INDENT_2))

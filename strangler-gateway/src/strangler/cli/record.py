"""``strangler record``: keep a sample of a route's real exchanges, redacted, as a file that ``replay`` reads."""

import contextlib
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from strangler.cli.admin_client import AdminClient
from strangler.cli.failures import BadInput, Failed
from strangler.cli.options import DEFAULT_STATE, Admin, Author, Json, Reason, State, author_or_user, complete_target
from strangler.cli.screen import console, print_json, say, warn

LOOK = 0.25
"""Seconds between two looks at how far it is."""
_MEBIBYTE = 1024 * 1024


def record(
    route: Annotated[
        str,
        typer.Argument(help="A route, at any stage; it needs no service.", autocompletion=complete_target),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write.", dir_okay=False)],
    count: Annotated[int, typer.Option(metavar="N", help="Exchanges, at most.", min=1, max=1_000_000)] = 1000,
    seconds: Annotated[
        float, typer.Option("--for", metavar="SECONDS", help="How long to wait for them.", min=0.1, max=86_400)
    ] = 600.0,
    size: Annotated[int, typer.Option("--max-mib", metavar="N", help="MiB of them, at most.", min=1, max=1024)] = 64,
    reason: Reason = "record",
    author: Author = None,
    state: State = DEFAULT_STATE,
    admin: Admin = None,
    as_json: Json = False,
) -> None:
    """Keep real exchanges of a route, redacted, and write them to a file for `replay`. Ctrl-C ends it early.

    At the stages `monolith` and `service` every request counts; at `shadow` and `canary` those that are mirrored.
    """
    if not output.absolute().parent.is_dir():
        raise BadInput(f"--output {output}: there is no folder {output.parent}; make it, or name another file")
    client = AdminClient(admin, state)
    wish = {"route": route, "count": count, "bytes": size * _MEBIBYTE, "seconds": seconds, "reason": reason}
    began = client.post("/recordings", wish | {"author": author_or_user(author)})
    path = f"/recordings/{began['id']}"
    with _ended_by_ctrl_c() as is_over:
        _wait(client, path, count, time.monotonic() + seconds, is_over)
    ended = client.post(f"{path}/end")
    redacted = _write(client, path, ended, output) if ended["exchanges"] else Counter[str]()
    client.delete(path)
    _tell(ended, output, redacted, as_json=as_json)


def _tell(ended: dict[str, Any], output: Path, redacted: Counter[str], *, as_json: bool) -> None:
    if ended["error"]:
        warn(ended["error"])
    if ended["dropped"]:
        warn(f"{ended['dropped']} exchanges are missing: they came faster than they could be written")
    if not ended["exchanges"]:
        raise Failed(
            f"no exchange of {ended['route']} came in {ended['ended'] - ended['began']:.0f} s, so nothing is written; "
            "`strangler explain METHOD TARGET` says which route a request takes"
        )
    if as_json:
        members = ("route", "exchanges", "bytes", "dropped", "began", "ended")
        print_json({"file": str(output), **{name: ended[name] for name in members}, "redacted": dict(redacted)})
        return
    say(f"{ended['exchanges']} exchanges of {ended['route']} are in {output}", style="green")
    if redacted:
        say("redacted, in so many of them:")
        for name, number in sorted(redacted.items()):
            say(f"  {name:<40} {number}")


@contextlib.contextmanager
def _ended_by_ctrl_c() -> "Iterator[Callable[[], bool]]":
    """Ctrl-C and SIGTERM end the recording and not the command: what is there is still written."""
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(client: AdminClient, path: str, count: int, until: float, is_over: Callable[[], bool]) -> None:
    """Until there is enough, or the time is over. Control does not need the command for that."""
    screen = console(stderr=True)
    with screen.status("waiting for the first exchange") if screen.is_terminal else contextlib.nullcontext() as shown:
        while not is_over() and time.monotonic() < until:
            now = client.get(path)
            if now["ended"]:
                return
            if shown is not None:
                left = max(0.0, until - time.monotonic())
                shown.update(f"{now['exchanges']} of {count} exchanges, {left:.0f} s left; Ctrl-C writes these")
            time.sleep(LOOK)


def _write(client: AdminClient, path: str, ended: dict[str, Any], output: Path) -> Counter[str]:
    """Head and exchanges, first beside the file. What was redacted, and in how many exchanges."""
    import msgspec  # noqa: PLC0415

    from strangler.model.shadow import Shadow  # noqa: PLC0415
    from strangler.shadow.recording import Head, head_line, read_exchange  # noqa: PLC0415

    beside = output.with_name(f"{output.name}.part")
    redacted = Counter[str]()
    try:
        with beside.open("wb") as lines:
            total = 0
            for line in client.download(f"{path}/exchanges"):
                total += 1
                redacted.update(read_exchange(line, total).redacted)
                lines.write(line + b"\n")
        shadow = msgspec.convert(ended["shadow"], Shadow)
        head = Head(ended["route"], shadow, ended["began"], ended["ended"], total, dict(redacted))
        with output.open("wb") as whole, beside.open("rb") as lines:
            whole.write(head_line(head) + b"\n")
            while piece := lines.read(_MEBIBYTE):
                whole.write(piece)
    except OSError as error:
        raise Failed(f"{output} cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
    return redacted

"""``strangler replay``: what was recorded, asked of a candidate again, compared and judged as it would be live."""

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strangler.cli.failures import BadInput
from strangler.cli.options import Json
from strangler.cli.screen import console, print_json, say, warn

if TYPE_CHECKING:
    from strangler.cli.replaying import Plan, Replay
    from strangler.model.shadow import Shadow
    from strangler.shadow.recording import Head, Recorded
    from strangler.shadow.report import Report

DIFFERENT, NOT_ENOUGH = 1, 3
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
"""A field line by RFC 9112 §5."""


def replay(
    file: Annotated[Path, typer.Argument(help="What `strangler record` has written.", dir_okay=False)],
    against: Annotated[str, typer.Option(metavar="URL", help="The candidate: http://HOST:PORT, perhaps with a path.")],
    primary: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask this primary in place of taking its recorded answers."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            "-H",
            metavar="TEXT",
            help='Put back what was redacted, such as "Authorization: Bearer …"; "Cookie:" leaves it out on purpose. '
            "Can be repeated.",
        ),
    ] = None,
    header_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The same, one a line: a file is not seen in the list of processes."),
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Replay writes too: the candidate does them, each as often as it is asked.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", help="Compare by the rules of this configuration.", dir_okay=False
        ),
    ] = None,
    route: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of which route of it; of the recorded one if left out.")
    ] = None,
    again: Annotated[
        int, typer.Option(metavar="N", help="Go through the file N more times: for what fails now and then.", min=0)
    ] = 0,
    concurrency: Annotated[int, typer.Option(metavar="N", help="Questions at a time.", min=1, max=256)] = 4,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="S", help="Seconds for an answer, if not those of the rules.", min=0.001),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as one page, too.", dir_okay=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare a candidate with what was recorded. Exit: 0 equivalent, 1 different, 2 wrong input, 3 not enough seen."""
    from strangler.cli.replaying import Plan  # noqa: PLC0415  # with httpx and the engine, 200 ms

    head, total = _looked_through(file)
    shadow = _rules(head, config, route)
    plan = Plan(tuple(_headers(header or (), header_file)), unsafe, 1 + again, concurrency)
    if html is not None and not html.parent.is_dir():
        raise BadInput(f"--html {html}: there is no folder {html.parent}")
    replayed = asyncio.run(_run(file, head, shadow, plan, against, primary, timeout, total * plan.passes))
    report = _report(replayed, f"replay of {file.name} against {against}")
    if html is not None:
        _write_page(html, report)
    status, why = _status(report)
    if as_json:
        print_json(_document(replayed, report, status, why))
    else:
        _show(replayed, report, plan, why)
    raise typer.Exit(status)


def _looked_through(file: Path) -> tuple["Head", int]:
    """The head, and how many exchanges follow: nobody is asked before the whole file has been understood."""
    from strangler.shadow.recording import RecordingUnreadable, read  # noqa: PLC0415

    try:
        with file.open("rb") as lines:
            head, exchanges = read(lines)
            total = sum(1 for _ in exchanges)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}; `strangler record` makes one") from None
    except RecordingUnreadable as error:
        raise BadInput(f"{file}: {error}") from None
    if not total:
        raise BadInput(f"{file} has no exchange in it; `strangler record ROUTE --output FILE` waits for some")
    return head, total


def _rules(head: "Head", config: Path | None, route: str | None) -> "Shadow":
    if config is None:
        if route is not None and route != head.route:
            raise BadInput(f"--route {route}: its rules stand in a configuration; name that by --config")
        return head.shadow
    from strangler.config import load  # noqa: PLC0415

    name = route or head.route
    found = load(config).topology.by_name.get(name)
    if found is None:
        raise BadInput(f"{config} has no route {name}; name one by --route")
    return found.shadowing


def _headers(given: list[str] | tuple[str, ...], file: Path | None) -> Iterator[tuple[str, str]]:
    lines = [(f"--header «{text.partition(':')[0]}»", text) for text in given]
    if file is not None:
        try:
            text = file.read_text("latin-1")
        except OSError as error:
            raise BadInput(f"--header-file {file} cannot be read: {error.strerror}") from None
        lines += [(f"{file}: line {number}", line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for place, text in lines:
        found = _HEADER.fullmatch(text)
        if found is None:  # What was given may be a secret, and is not said again.
            raise BadInput(f'{place} is no header; write "Name: value"')
        yield found[1], found[2].strip()


async def _run(
    file: Path,
    head: "Head",
    shadow: "Shadow",
    plan: "Plan",
    against: str,
    primary: str | None,
    timeout: float | None,  # noqa: ASYNC109  # it is each question's, not this function's
    total: int,
) -> "Replay":
    from strangler.cli.replay_side import LiveSide  # noqa: PLC0415
    from strangler.cli.replaying import Replay  # noqa: PLC0415
    from strangler.shadow.recording import read  # noqa: PLC0415

    how: dict[str, Any] = {
        "seconds": timeout or shadow.timeout, "most": shadow.answer_bytes, "connections": plan.at_once
    }  # fmt: skip
    async with AsyncExitStack() as stack:
        candidate = await stack.enter_async_context(LiveSide("--against", against, **how))
        second = await stack.enter_async_context(LiveSide("--primary", primary, **how)) if primary else None
        replayed = Replay(head, shadow, plan, candidate, second, random.random)

        def exchanges() -> "Iterator[Recorded]":
            with file.open("rb") as lines:
                yield from read(lines)[1]

        with _progress(total) as passed:
            await replayed.run(exchanges, passed)
    return replayed


@contextmanager
def _progress(total: int) -> "Iterator[Callable[[], None]]":
    """A bar on a terminal, nothing elsewhere."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        with nullcontext():
            yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=screen, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _report(replayed: "Replay", reason: str) -> "Report":
    from strangler.shadow.report import make_report  # noqa: PLC0415

    _, judged_by = replayed.seen.reported()
    return make_report(replayed.record(reason), judged_by, again=replayed.again)


def _write_page(file: Path, report: "Report") -> None:
    import time  # noqa: PLC0415

    from strangler.shadow.page import as_html  # noqa: PLC0415

    try:
        file.write_text(as_html(report, time.time()), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--html {file} cannot be written: {error.strerror}") from None


def _status(report: "Report") -> tuple[int, str]:
    """The exit status, and why what was compared is not enough where that is not for its number."""
    from strangler.shadow.verdict import Judgement  # noqa: PLC0415

    match report.verdict.judgement:
        case Judgement.DIFFERENT:
            return DIFFERENT, ""
        case Judgement.UNDECIDED:
            return NOT_ENOUGH, report.because if report.verdict.is_silent else ""
    return 0, ""


def _document(replayed: "Replay", report: "Report", status: int, why: str) -> dict[str, Any]:
    from strangler.shadow.report import as_json  # noqa: PLC0415

    tally = replayed.tally
    return {
        "exit_status": status,
        "because": why,
        "left_out": dict(sorted(tally.left_out.items())),
        "redacted": dict(sorted(replayed.head.redacted.items())),
        "credentials_missing": dict(sorted(tally.missing.items())),
        "report": as_json(report),
    }


def _show(replayed: "Replay", report: "Report", plan: "Plan", why: str) -> None:
    from strangler.cli.replaying import NO_CREDENTIALS, NOT_WHOLE, UNSAFE  # noqa: PLC0415
    from strangler.shadow.report import as_text  # noqa: PLC0415

    say(as_text(report))
    left_out = replayed.tally.left_out
    if plan.passes > 1:
        say(f"each exchange was asked {plan.passes} times; of requests that were not recorded that says nothing")
    if left_out[UNSAFE]:
        warn(f"{left_out[UNSAFE]} not asked: they write; --unsafe asks them too, and the candidate does what they say")
    if left_out[NOT_WHOLE]:
        warn(
            f"{left_out[NOT_WHOLE]} not asked: their path, query or body was redacted; "
            "`keep_query` under `shadow: redact:` keeps parameters of the next recording"
        )
    if left_out[NO_CREDENTIALS]:
        names = ", ".join(sorted(replayed.tally.missing))
        remedy = '--header "Name: value" puts it back'
        warn(f"{left_out[NO_CREDENTIALS]} not asked: their {names} was redacted; {remedy}")
    if why:
        warn(why)

"""``strangler bench``: the same endpoints of two or more servers, that they answer alike and how fast."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from strangler.cli.failures import BadInput, Failed
from strangler.cli.options import Json
from strangler.cli.screen import console, print_json, say, warn

if TYPE_CHECKING:
    from strangler.bench.agreement import Agreement
    from strangler.bench.endpoint import Endpoint
    from strangler.bench.report import Report
    from strangler.bench.rounds import Plan, Sample, Target
    from strangler.model.shadow import Comparing


def bench(
    targets: Annotated[
        str,
        typer.Option(metavar="NAME=URL,…", help="Servers; the first is the baseline: monolith=http://127.0.0.1:8001,…"),
    ],
    endpoints: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What to ask them, in YAML.", dir_okay=False)
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Or what `strangler record` has written: the same requests.", dir_okay=False),
    ] = None,
    rounds: Annotated[int, typer.Option(metavar="N", help="Fewer than 5 say nothing.", min=1, max=100)] = 7,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Of saturation, and of arrivals, per endpoint and round; more for slow ones.",
            min=0.2,
            max=60,
        ),
    ] = 2.0,
    connections: Annotated[int, typer.Option(metavar="N", min=1, max=512)] = 16,
    share: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="Arrivals, as a share of what the slowest answers at most.", min=0.05, max=0.9
        ),
    ] = 0.6,
    warm_ups: Annotated[
        int, typer.Option(metavar="N", help="Seconds of load at most, until a server is steady.", min=0, max=60)
    ] = 4,
    pids: Annotated[
        str | None,
        typer.Option(metavar="NAME=PID,…", help="Root processes of servers on this machine: CPU time and memory, too."),
    ] = None,
    price: Annotated[
        float, typer.Option(help="Of a core for an hour, for the cost of a million requests.", min=0)
    ] = 0.04,
    certify: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Write certificate.json, too: whether this server holds --at-most."),
    ] = None,
    at_most: Annotated[
        float, typer.Option(metavar="TIMES", help="Slower than the baseline, in p99 and in requests per second.", min=1)
    ] = 1.25,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for bench.html, .json, .csv and .md.", file_okay=False)
    ] = Path("reports"),
    unlike: Annotated[
        bool, typer.Option("--unlike", help="Measure although they do not answer alike; the report says so.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure servers beside one another. Exit status: 1 if they do not answer alike, unless --unlike is given; with
    --certify 1 if it fails, 3 if that cannot be told.
    """
    from strangler.bench.rounds import Plan  # noqa: PLC0415  # with the engine, 200 ms
    from strangler.bench.saturation import find_wrk  # noqa: PLC0415

    find_wrk()
    authorities = _authorities(targets)
    processes = _pids(pids, authorities)
    if certify is not None and certify not in list(authorities)[1:]:
        raise BadInput(f"--certify {certify}: it is judged beside the first; name {' or '.join(list(authorities)[1:])}")
    found, comparing = _asked(endpoints, recording)
    agreements = _agree(found, authorities, comparing)
    if not unlike and not all(one.is_equal for one in agreements):
        raise Failed("\n".join(_unlike(agreements)))
    plan = Plan(rounds, seconds, seconds, connections, share, warm_ups)
    report = _measured(_targets(found, authorities, processes), plan, agreements, price)
    written = _write(report, output)
    if as_json:
        from strangler.bench.report import as_json as document  # noqa: PLC0415

        print_json(document(report))
    else:
        for line in report.conclusions:
            say(line)
        for line in report.remarks:
            warn(line)
        say(f"Written: {', '.join(map(str, written))}")
    if certify is not None:
        raise typer.Exit(_certify(report, certify, at_most, output, is_told=not as_json))


def _asked(endpoints: Path | None, recording: Path | None) -> "tuple[tuple[Endpoint, ...], Comparing]":
    from strangler.bench import endpoints_file, recorded  # noqa: PLC0415

    if (endpoints is None) is (recording is None):
        raise BadInput("say what to ask: --endpoints FILE, or --recording FILE")
    if endpoints is not None:
        return endpoints_file.load(endpoints)
    assert recording is not None
    try:
        endpoint, comparing = recorded.load(recording)
    except recorded.RecordingUseless as error:
        raise BadInput(f"--recording {error}") from None
    return (endpoint,), comparing


def _authorities(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, _, url = part.strip().partition("=")
        try:
            parts = urlsplit(url)
            port = parts.port or 80
        except ValueError:
            parts, port = urlsplit(""), 0
        if not name or parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query:
            remedy = "write NAME=http://HOST:PORT, with commas between them"
            raise BadInput(f"--targets «{part.strip()}» is not a server to measure; {remedy}")
        if name in found:
            raise BadInput(f"--targets: two servers are called «{name}»")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        found[name] = f"{host}:{port}"
    if len(found) < 2:
        raise BadInput("--targets: there is nothing to compare with; name two servers or more")
    return found


def _pids(text: str | None, authorities: dict[str, str]) -> dict[str, int]:
    found = {}
    for part in text.split(",") if text else ():
        name, _, number = part.strip().partition("=")
        if name not in authorities or not number.isdecimal():
            raise BadInput(f"--pids «{part.strip()}»: write NAME=PID, where NAME is one of {', '.join(authorities)}")
        if not Path(f"/proc/{number}").exists():
            raise BadInput(f"--pids «{part.strip()}»: there is no such process on this machine")
        found[name] = int(number)
    return found


def _targets(endpoints: "tuple[Endpoint, ...]", authorities: dict[str, str], pids: dict[str, int]) -> "list[Target]":
    from strangler.bench.rounds import Served, Target  # noqa: PLC0415

    def serve(served: "Served") -> "Callable[[], AbstractContextManager[Served]]":
        return lambda: nullcontext(served)

    return [Target(name, endpoints, serve(Served(its, pids.get(name)))) for name, its in authorities.items()]


def _agree(
    endpoints: "tuple[Endpoint, ...]", authorities: dict[str, str], comparing: "Comparing"
) -> "tuple[Agreement, ...]":
    from strangler.bench.agreement import NotAnswered, compare  # noqa: PLC0415

    try:
        return tuple(one for endpoint in endpoints for one in compare(endpoint, authorities, comparing))
    except NotAnswered as error:
        raise Failed(f"{error}; start it, or correct the address") from None


def _unlike(agreements: "tuple[Agreement, ...]") -> Iterator[str]:
    for one in agreements:
        where = f"«{one.endpoint}» of {one.target}"
        yield from (f"{where}: {words}" for words in one.wrong)
        for each in one.differences:
            yield f"{where}: {each.field} differs ({each.kind.value}): {each.primary or '–'} | {each.candidate or '–'}"
    yield (
        "nothing was measured, since servers that do not answer alike are no competitors: what is no difference to you "
        "goes into «compare:» of the file, --unlike measures all the same"
    )


def _measured(
    targets: "list[Target]",
    plan: "Plan",
    agreements: "tuple[Agreement, ...]",
    price: float,
) -> "Report":
    from strangler.bench.conditions import look  # noqa: PLC0415
    from strangler.bench.report import Report  # noqa: PLC0415
    from strangler.bench.rounds import calibrate, measure  # noqa: PLC0415

    conditions = look()
    blocks = len(targets[0].endpoints) * (len(targets) + 1) * plan.rounds
    with _progress(blocks) as (told, passed):
        paces = calibrate(targets, plan, told)
        samples: list[Sample] = []
        for sample in measure(targets, paces, plan, told):
            samples.append(sample)
            passed()
    title = " and ".join(target.name for target in targets) + ", the same endpoints"
    return Report(title, conditions, plan, agreements, tuple(samples), price)


@contextmanager
def _progress(total: int) -> Iterator[tuple[Callable[[str], None], Callable[[], None]]]:
    """A bar on a terminal, lines elsewhere."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield (lambda text: screen.print(f"{time.strftime('%H:%M:%S')} {text}"), lambda: None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield (lambda text: bar.update(task, description=text), lambda: bar.advance(task))


def _certify(report: "Report", candidate: str, at_most: float, folder: Path, *, is_told: bool) -> int:
    """Write it. Returns the exit status."""
    import json  # noqa: PLC0415

    from strangler.bench.certificate import Standing, certify  # noqa: PLC0415

    certificate = certify(report, candidate, at_most)
    (folder / "certificate.json").write_text(json.dumps(certificate.document(), indent=1) + "\n", encoding="utf-8")
    if is_told:
        say(f"certificate: {candidate} {certificate.standing.value} at most {at_most:g} × {certificate.baseline}")
        for line in certificate.because:
            say(f"  {line}")
    return {Standing.HOLDS: 0, Standing.FAILS: 1, Standing.UNDECIDED: 3}[certificate.standing]


def _write(report: "Report", folder: Path) -> list[Path]:
    import json  # noqa: PLC0415

    from strangler.bench.page import as_html  # noqa: PLC0415
    from strangler.bench.report import as_csv, as_json, markdown  # noqa: PLC0415

    texts = {
        "bench.html": as_html(report, "bench.json"),
        "bench.json": json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n",
        "bench.csv": as_csv(report),
        "bench.md": markdown(report),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--output {folder} cannot be written: {error.strerror}") from None
    return [folder / name for name in texts]

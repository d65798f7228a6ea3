"""``strangler init``: a first configuration for the user's own monolith."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from strangler.cli.failures import BadInput, Failed
from strangler.cli.operations import Survey, survey
from strangler.cli.options import DEFAULT_CONFIG, Json
from strangler.cli.screen import print_json, say, warn
from strangler.cli.starter_file import starter_file


def init(
    monolith: Annotated[str, typer.Option(help="The monolith's address, such as http://127.0.0.1:8000.")],
    openapi: Annotated[
        str | None, typer.Option(metavar="URL|FILE", help="Its OpenAPI document, for one route per operation.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.", dir_okay=False)] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
    as_json: Json = False,
) -> None:
    """Write a commented configuration for your own monolith, which needs no change to be put behind the gateway."""
    from strangler.config import load_text  # noqa: PLC0415
    from strangler.config.addresses import parse_endpoint  # noqa: PLC0415

    try:
        parse_endpoint(monolith)
    except ValueError as error:
        raise BadInput(f"--monolith: {error}") from error
    if output.exists() and not force:
        raise BadInput(f"{output} exists; --force overwrites it, --output names another file")
    found = survey(_read(openapi)) if openapi is not None else Survey()
    text = starter_file(monolith, found, openapi)
    load_text(text, str(output))  # what `strangler check` would refuse is not written
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{output} cannot be written: {error.strerror}") from error
    if as_json:
        left_out = [{"operation": each.operation, "why": each.why} for each in found.left_out]
        routes = [operation.name for operation in found.operations]
        print_json({"output": str(output), "routes": routes, "modules": found.modules, "left_out": left_out})
        return
    for each in found.left_out:
        warn(f"left to the monolith: {each.operation}: {each.why}")
    counts = f"{len(found.operations)} routes in {len(found.modules)} modules"
    say(f"{output}: {counts}; `strangler serve --config {output}` starts the gateway")


def _read(source: str) -> Any:
    """The document at a URL or in a file; JSON or YAML. Raises ``BadInput`` or ``Failed``."""
    text = _fetch(source) if source.startswith(("http://", "https://")) else _read_file(source)
    try:
        return json.loads(text)
    except ValueError:
        import yaml  # noqa: PLC0415

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"{source} is neither JSON nor YAML: {str(error).splitlines()[0]}") from error


def _fetch(url: str) -> bytes:
    import httpx  # noqa: PLC0415

    try:
        response = httpx.get(url, follow_redirects=True, timeout=15.0)
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise Failed(
            f"{url} answered {error.response.status_code}; --openapi must be the document's own address"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failed(f"{url} does not answer ({error or type(error).__name__}); is the monolith running?") from error
    return response.content


def _read_file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise BadInput(f"--openapi {name} cannot be read: {error.strerror}") from error

"""Where reports come from: the ledger in the state folder, or the admin API of a gateway that is elsewhere."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from strangler.cli.admin_client import AdminClient
from strangler.cli.failures import BadInput
from strangler.cli.last_snapshot import LastSnapshot

if TYPE_CHECKING:
    from strangler.shadow.report import Report

T = TypeVar("T")


class Reports(Protocol):
    """Documents are those of the admin API. All raise ``BadInput`` for a route or run that is not there."""

    def standings(self) -> dict[str, Any]:
        """Every route in short."""

    def report(self, route: str, run: int | None) -> dict[str, Any]:
        """One route as a document…"""

    def text(self, route: str, run: int | None) -> str:
        """… as text for a terminal…"""

    def page(self, route: str, run: int | None) -> str:
        """… and as HTML."""

    def samples(self, route: str, run: int | None, field: str | None, limit: int) -> dict[str, Any]:
        """Pairs of answers that differ."""


def source(state: Path, admin: str | None) -> Reports:
    """The state folder, which needs no gateway that runs; or the admin API where its address is given."""
    return AskedReports(AdminClient(admin, state)) if admin is not None else ReadReports(state)


class AskedReports:
    """See ``Reports``."""

    def __init__(self, client: AdminClient) -> None:
        self._client = client

    def standings(self) -> dict[str, Any]:
        return self._client.get("/shadow")

    def report(self, route: str, run: int | None) -> dict[str, Any]:
        return self._client.get(f"/shadow/{route}", run=run)

    def text(self, route: str, run: int | None) -> str:
        return self._client.text(f"/shadow/{route}/text", run=run)

    def page(self, route: str, run: int | None) -> str:
        return self._client.text(f"/shadow/{route}/page", run=run)

    def samples(self, route: str, run: int | None, field: str | None, limit: int) -> dict[str, Any]:
        return self._client.get(f"/shadow/{route}/samples", run=run, field=field, limit=limit)


class ReadReports:
    """See ``Reports``."""

    def __init__(self, state: Path) -> None:
        from strangler.control.shadow_reports import ShadowReports  # noqa: PLC0415 - for those who ask
        from strangler.ledger import FILE  # noqa: PLC0415
        from strangler.ledger.reader import LedgerReader  # noqa: PLC0415

        self._snapshot = LastSnapshot(state).snapshot
        self._reports = ShadowReports(LedgerReader(state / FILE))

    def standings(self) -> dict[str, Any]:
        from strangler.control.shadow_documents import standing_document  # noqa: PLC0415

        return {"items": [standing_document(each) for each in self._reports.standings(self._snapshot)]}

    def report(self, route: str, run: int | None) -> dict[str, Any]:
        from strangler.shadow.report import as_json  # noqa: PLC0415

        return dict(as_json(self._report(route, run)))

    def text(self, route: str, run: int | None) -> str:
        from strangler.shadow.report import as_text  # noqa: PLC0415

        return as_text(self._report(route, run))

    def page(self, route: str, run: int | None) -> str:
        from strangler.shadow.page import as_html  # noqa: PLC0415

        return as_html(self._report(route, run), time.time())

    def samples(self, route: str, run: int | None, field: str | None, limit: int) -> dict[str, Any]:
        from strangler.control.shadow_documents import sample_documents  # noqa: PLC0415

        record = _found(lambda: self._reports.record(self._snapshot, route, run, 1000))
        return {"route": route, "run": record.number, "items": sample_documents(record, limit, field)}

    def _report(self, route: str, run: int | None) -> "Report":
        return _found(lambda: self._reports.report(self._snapshot, route, run))


def _found(look: Callable[[], T]) -> T:
    """What is found; what is not was not there to be asked for."""
    from strangler.control.shadow_reports import NothingCompared  # noqa: PLC0415
    from strangler.control.targets import UnknownTarget  # noqa: PLC0415
    from strangler.ledger.ledger import NoSuchRun  # noqa: PLC0415

    try:
        return look()
    except (NothingCompared, NoSuchRun, UnknownTarget) as error:
        raise BadInput(str(error)) from None

"""Options of every test run: the long versions of proofs run only when asked for."""

import signal

import pytest


def pytest_configure() -> None:
    """A shell starts what it puts into the background with SIGINT ignored, which every process below it inherits: the
    programs that tests end by Ctrl-C would not hear it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--run-soak`` adds the tests marked ``soak``."""
    parser.addoption("--run-soak", action="store_true", help="run the long versions of proofs too (marker `soak`)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long versions out, unless they were asked for."""
    if config.getoption("--run-soak"):
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)

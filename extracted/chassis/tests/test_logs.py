"""Logs are JSON lines, and secrets are not in them."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from chassis.logs import HIDDEN, configure_logs


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "hunter2"},
        {"Authorization": "hunter2"},
        {"headers": {"Cookie": "shop_session=hunter2"}},
        {"headers": [{"set-cookie": "hunter2"}]},
        {"api_key": "hunter2"},
        {"access_token": "hunter2"},
        {"note": "sent Bearer hunter2 along"},
        {"note": "basic hunter2"},
        {"url": "postgresql://shop:hunter2@db/shop"},
        {"jwt": "eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2"},
        {"event": "Authorization: Bearer hunter2"},
    ],
    ids=str,
)
def test_a_secret_is_hidden_by_its_name_or_its_look(fields: dict[str, Any], log: io.StringIO) -> None:
    structlog.get_logger("x").info(**({"event": "seen"} | fields))
    assert "hunter2" not in log.getvalue()
    assert HIDDEN in log.getvalue()


def test_a_secret_in_an_exception_is_hidden(log: io.StringIO) -> None:
    try:
        raise ConnectionError("postgresql://shop:hunter2@db/shop does not answer")
    except ConnectionError:
        structlog.get_logger("x").exception("lost")
    line = json.loads(log.getvalue())
    assert "hunter2" not in log.getvalue()
    assert "ConnectionError" in line["exception"]
    assert "postgresql://shop:" in line["exception"]


def test_other_libraries_log_in_the_same_form(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("slow %s: %s", "client", "Bearer hunter2")
    line = json.loads(log.getvalue())
    assert line["event"] == f"slow client: Bearer {HIDDEN}"
    assert (line["level"], line["logger"], line["service"]) == ("warning", "uvicorn.error", "things")
    assert line["at"].endswith("Z")


def test_the_level_is_kept(log: io.StringIO) -> None:
    configure_logs("things", "warning", log)
    structlog.get_logger("x").info("quiet")
    assert log.getvalue() == ""

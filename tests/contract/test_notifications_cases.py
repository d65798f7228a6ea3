"""The cases of notifications, one request each."""

import pytest

from contract.case import Case
from contract.cases.others import NOTIFICATIONS_CASES
from contract.client import Client
from contract.judge import run
from contract.world import World

MODULE = "notifications"


@pytest.mark.parametrize("case", NOTIFICATIONS_CASES, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World) -> None:
    run(case, clients[case.caller], world)

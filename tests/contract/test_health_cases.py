"""The cases of health, one request each."""

import pytest

from contract.case import Case
from contract.cases.others import HEALTH
from contract.client import Client
from contract.judge import run
from contract.world import World

MODULE = "health"


@pytest.mark.parametrize("case", HEALTH, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World) -> None:
    run(case, clients[case.caller], world)

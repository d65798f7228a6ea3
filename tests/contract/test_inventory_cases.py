"""The cases of inventory, one request each."""

import pytest

from contract.case import Case
from contract.cases.inventory import CASES
from contract.client import Client
from contract.judge import run
from contract.world import World

MODULE = "inventory"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World) -> None:
    run(case, clients[case.caller], world)

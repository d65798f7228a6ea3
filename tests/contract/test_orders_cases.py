"""The cases of orders, one request each."""

import pytest

from contract.case import Case
from contract.cases.orders import CASES
from contract.client import Client
from contract.judge import run
from contract.world import World

MODULE = "orders"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World) -> None:
    run(case, clients[case.caller], world)

"""The cases of customers, one request each."""

import pytest

from contract.case import Case
from contract.cases.customers import CASES
from contract.client import Client
from contract.judge import run
from contract.world import World

MODULE = "customers"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World) -> None:
    run(case, clients[case.caller], world)

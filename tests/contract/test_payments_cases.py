"""The cases of payments, one request each."""

import pytest

from contract.case import Case
from contract.cases.others import PAYMENTS
from contract.client import Client
from contract.judge import run
from contract.world import World

MODULE = "payments"


@pytest.mark.parametrize("case", PAYMENTS, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World) -> None:
    run(case, clients[case.caller], world)

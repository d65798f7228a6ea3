"""The catalog's cases, one request each."""

import pytest

from contract.case import Case
from contract.cases.catalog import CASES
from contract.client import Client
from contract.implementations import Implementation
from contract.judge import run
from contract.world import World

MODULE = "catalog"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case, clients: dict[str, Client], world: World, implementation: Implementation) -> None:
    run(case, clients[case.caller], world, behind_gateway=bool(implementation.arms))

"""The three faces of the shop, asked the whole table of the contract: by the default rules nothing differs."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import contract.world
import pytest
from contract.case import ABSENT, Case, resolve
from contract.cases import catalog, customers, inventory, orders, others
from contract.client import Answer as Received
from contract.client import Client
from contract.implementations import IMPLEMENTATIONS, Site
from contract.judge import send
from contract.keys import token
from contract.world import World, build

from strangler.model.shadow import Comparing
from strangler.shadow.answer import Answer, Question
from strangler.shadow.rules import Rules

FACES = ("flask", "django", "fastapi")
HOST = "shop.example"
TABLES = {
    "catalog": catalog.CASES,
    "inventory": inventory.CASES,
    "customers": customers.CASES,
    "orders": orders.CASES,
    "others": [*others.PAYMENTS, *others.NOTIFICATIONS_CASES, *others.HEALTH],
}
COMPARING = Comparing(
    # Each face is a process with a clock of its own, and is asked at its own moment.
    tolerances=tuple(
        (f"{place}.{name}", 300.0) for place in ("body", "body.items[]") for name in ("created_at", "updated_at")
    ),
)
CALLERS = {"anonymous": {}, "staff": {"subject": 1, "roles": ("staff",)}, "customer": {"subject": 2}}


@dataclass(frozen=True, slots=True)
class Face:
    """One of them on a database of its own, with the same in it as in the others'."""

    name: str
    clients: dict[str, Client]
    world: World


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Face]]:
    tokens = {who: token(**claims) for who, claims in CALLERS.items() if claims}
    with contextlib.ExitStack() as stack:
        found = []
        for name in FACES:
            line = next(each for each in IMPLEMENTATIONS if each.name == f"{name}-sqlite")
            site = Site(tmp_path_factory.mktemp(name), lambda _: pytest.fail("SQLite needs no server"))
            url = stack.enter_context(line.start(site)).url
            plain = Client(url).having(Host=HOST)
            clients = {who: plain.bearing(tokens[who]) if who in tokens else plain for who in CALLERS}
            contract.world._numbers = itertools.count(1)
            found.append(Face(name, clients, build(clients["staff"])))
            stack.callback(lambda those: [client.close() for client in those], list(clients.values()))
        yield found


def asked_alike(case: Case, world: World) -> Case:
    """The case with everything in it that the world names, so that all faces are asked the same."""
    names = World({**world.names, "host": HOST}, world.products, world.makers)
    return replace(
        case,
        target=resolve(case.target, names),
        headers=resolve(case.headers, names),
        json=case.json if case.json is ABSENT else resolve(case.json, names),
    )


def answer(received: Received) -> Answer:
    fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in received.headers)
    return Answer(received.status, fields, received.body)


def differences(rules: Rules, case: Case, answers: Sequence[Answer]) -> list[str]:
    """What differs between any two of the answers, in words."""
    question = Question(case.method.encode(), case.target.encode(), ((b"Host", HOST.encode()),), case.body or b"")
    return [
        f"{case.name}: {FACES[one]} and {FACES[other]} differ in {found.field}: {found.primary} and {found.candidate}"
        for one, other in itertools.permutations(range(len(FACES)), 2)
        for found in rules.compare(question, answers[one], answers[other]).differences
    ]


def test_the_faces_begin_with_the_same(faces: list[Face]) -> None:
    first, *rest = faces
    for face in rest:
        assert face.world.products == first.world.products or _without_times(face) == _without_times(first)


def _without_times(face: Face) -> list[dict[str, object]]:
    return [{**product, "created_at": "", "updated_at": ""} for product in face.world.products]


@pytest.mark.parametrize("table", TABLES)
def test_no_case_of_the_contract_is_answered_differently(faces: list[Face], table: str) -> None:
    rules = Rules(COMPARING, date(2026, 5, 17))
    found = []
    for case in TABLES[table]:
        same = asked_alike(case, faces[0].world)
        answers = [answer(send(same, face.clients[case.caller], face.world)) for face in faces]
        found += differences(rules, same, answers)
    assert not found, f"{len(found)} differences in {len(TABLES[table])} cases: {found[:5]}"


def test_a_face_that_differs_would_be_noticed(faces: list[Face]) -> None:
    """Staff of one face are asked for, customers of the others."""
    case = next(each for each in customers.CASES if each.name == "staff see themselves")
    answers = [answer(send(case, face.clients["staff"], face.world)) for face in faces]
    answers[1] = answer(send(case, faces[1].clients["customer"], faces[1].world))
    assert differences(Rules(COMPARING, date(2026, 5, 17)), case, answers)

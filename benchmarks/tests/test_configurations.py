"""Every proxy's configuration is filled in completely, and asks for the same routes."""

from pathlib import Path

import pytest
import yaml

from strangler.config import load
from strangler.model.flag import Flag, Stage
from yardstick.gateway.peers import ANSWER, PEERS, STRANGLER, UPSTREAM, Peer, Place
from yardstick.gateway.peers.variants import SECRET, at_stage, with_routes, with_tokens

EVERYONE = (*PEERS, UPSTREAM)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "here", port=20_001, upstream=20_002, spare_ports=(20_003, 20_004))


def filled(peer: Peer, place: Place) -> str:
    peer.configure(place)
    return "".join((place.folder / name).read_text() for name in peer.configurations)


@pytest.mark.parametrize("peer", EVERYONE, ids=lambda peer: peer.name)
def test_no_placeholder_is_left(peer: Peer, place: Place) -> None:
    text = filled(peer, place) + " ".join(place.fill(argument) for argument in peer.arguments)
    for name in ("@FOLDER@", "@LOG@", "@PORT@", "@PORT2@", "@PORT3@", "@UPSTREAM@", "@ANSWER@"):
        assert name not in text
    assert "20001" in text


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_proxy_asks_the_upstream_and_has_the_routes(peer: Peer, place: Place) -> None:
    text = filled(peer, place)
    assert "20002" in text
    for path in ("/api/products", "/api/products/", "/api/inventory/", "/api/orders"):
        assert path in text
    assert peer.log_is_stdout or str(place.log) in text


@pytest.mark.parametrize("name", ["envoy.yaml", "traefik.yaml", "traefik-routes.yaml", "strangler.yaml"])
def test_a_yaml_configuration_is_yaml(name: str, place: Place) -> None:
    peer = next(peer for peer in PEERS if name in peer.configurations)
    filled(peer, place)
    assert isinstance(yaml.safe_load((place.folder / name).read_text()), dict)


def test_the_gateway_evaluates_a_flag_for_the_measured_route(place: Place) -> None:
    filled(STRANGLER, place)
    routes = yaml.safe_load((place.folder / "strangler.yaml").read_text())["routes"]
    assert (routes[0]["stage"], routes[0]["weight"], routes[0]["shadow"]) == ("canary", 50, {"sample": 0})


def test_the_answer_has_the_length_that_is_told() -> None:
    assert len(ANSWER) == 170


def test_variants_of_the_gateway_have_what_they_are_named_after(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YARDSTICK_SECRET", SECRET)
    filled(with_routes(1000), place)
    assert len(load(place.folder / "strangler.yaml").topology.routes) == 1000
    filled(with_tokens(), place)
    text = (place.folder / "strangler.yaml").read_text()
    assert text.count("authenticate:") == 1
    assert load(place.folder / "strangler.yaml").topology.routes[0].name == "product"
    for stage in ("monolith", "shadow"):
        filled(at_stage(stage), place)
        assert load(place.folder / "strangler.yaml").first[0] == Flag("product", Stage(stage))

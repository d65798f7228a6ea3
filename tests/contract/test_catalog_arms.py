"""Behind the gateway: the catalog's requests are served by the arms that the flag names, as their access logs tell."""

from contract.client import Client
from contract.implementations import LEAST_SHARE, Implementation, Running, served_by
from contract.world import World, unique

MODULE = "catalog"
BEHIND_GATEWAY = True  # only the lines that have arms


def test_each_arm_serves_its_share_of_many_users(
    implementation: Implementation, served: Running, anonymous: Client, world: World
) -> None:
    mark, count = unique("probe"), 400
    for number in range(count):
        target = "/api/products" if number % 2 else f"/api/products/{world['product']}"
        assert anonymous.get(f"{target}?mark={mark}&page_size=1").status == 200
    shares = {arm: requests / count for arm, requests in served_by(served, mark).items() if requests}
    assert set(shares) == set(implementation.arms)
    assert sum(shares.values()) == 1
    assert min(shares.values()) >= LEAST_SHARE, shares


def test_one_user_stays_on_one_arm(served: Running, anonymous: Client) -> None:
    for _ in range(8):
        mark = unique("sticky")
        for target in ("/api/products", "/api/categories", "/api/products"):
            assert anonymous.get(f"{target}?mark={mark}", X_User=mark).status == 200
        assert max(served_by(served, mark).values()) == 3

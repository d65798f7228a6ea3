"""What the comparator is measured with: pages of the size that was asked for, of which as many differ as were to."""

import json

from yardstick.comparator.application import answer
from yardstick.comparator.documents import differing, documents
from yardstick.comparator.feed import exchanges


def test_pages_have_about_the_size_that_is_asked_for_and_are_not_all_one() -> None:
    pages = documents(50, 2048)
    assert all(2048 <= len(page) < 2048 + 300 for page in pages)
    assert len(set(pages)) == 50
    assert documents(50, 2048) == pages, "both sides make the same"


def test_the_other_application_says_the_same_in_another_order_but_for_some_prices() -> None:
    pages = documents(200, 500)
    others = differing(pages, 5)
    assert not any(one == other for one, other in zip(pages, others, strict=True))
    same = [json.loads(one) == json.loads(other) for one, other in zip(pages, others, strict=True)]
    assert same.count(False) == 10


def test_each_exchange_is_a_request_of_its_own_with_the_answer_to_it() -> None:
    pages = documents(3, 100)
    found = [mirrored for mirrored, _ in zip(exchanges(pages), range(6), strict=False)]
    assert [mirrored.content for mirrored in found] == pages * 2
    assert len({mirrored.head for mirrored in found}) == 6
    assert found[4].head.startswith(b"GET /products/1 HTTP/1.1\r\n")
    assert answer(pages[0]).endswith(pages[0])

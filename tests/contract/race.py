"""Several callers at once, each in a thread and on a connection of its own."""

import threading
from collections.abc import Callable

from contract.client import Answer, Client


def together(count: int, client: Client, ask: Callable[[int, Client], Answer]) -> list[Answer]:
    """Call `ask(number, a client like client)` in `count` threads that start as one; return the answers by number."""
    answers: dict[int, Answer] = {}
    failures: list[BaseException] = []
    barrier = threading.Barrier(count)

    def one(number: int) -> None:
        try:
            with client.having() as own:
                barrier.wait(10)
                answers[number] = ask(number, own)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]
    return [answers[number] for number in range(count)]

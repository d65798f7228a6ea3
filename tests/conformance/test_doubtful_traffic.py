"""Every spelling of doubt that we know: refused, or read alike by all; nothing behind it gets out of step."""

import pytest

from support.bench import Bench
from support.corpora.doubtful import DOUBTFUL
from support.desync import probe
from support.nginx import Nginx


@pytest.mark.parametrize("table", DOUBTFUL)
def test_doubt_is_refused_and_nobody_behind_it_gets_anothers_answer(bench: Bench, nginx: Nginx, table: str) -> None:
    wrong = []
    for name, sent, refused in DOUBTFUL[table]():
        outcome = probe(bench, sent, nginx)
        if refused and outcome.targets:
            wrong.append(f"{name} was passed on: {outcome.targets}")
        if refused and not (outcome.statuses and outcome.statuses[-1] >= 400):
            wrong.append(f"{name} was not refused: {outcome.statuses}")
        if refused is False and (b"/doubt" not in outcome.targets or outcome.targets[-1] != b"/marker"):
            wrong.append(f"{name} was refused: {outcome}")
    assert not wrong, "\n".join(wrong)

"""`auto` counts the cores that this process may use, whatever the machine has."""

import os
from pathlib import Path

import pytest

from strangler.supervisor.cores import available_cores


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.parametrize(
    ("proc", "files", "cores"),
    [
        pytest.param("0::/app\n", {"app/cpu.max": "150000 100000"}, 2, id="one and a half"),
        pytest.param("0::/app\n", {"app/cpu.max": "max 100000"}, 8, id="no quota"),
        pytest.param("0::/app\n", {"app/cpu.max": "1000 100000"}, 1, id="less than one"),
        pytest.param("0::/app\n", {"app/cpu.max": "3200000 100000"}, 8, id="more than there are"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"}, 3, id="from above"),
        pytest.param("0::/docker/0123\n", {"cpu.max": "200000 100000"}, 2, id="a path of the host"),
        pytest.param("0::/app\n", {"app/cpu.max": "nonsense"}, 8, id="nonsense"),
        pytest.param(
            "4:cpu,cpuacct:/app\n1:name=systemd:/\n",
            {"cpu/app/cpu.cfs_quota_us": "400000", "cpu/app/cpu.cfs_period_us": "100000"},
            4,
            id="version 1",
        ),
        pytest.param(
            "4:cpu:/app\n",
            {"cpu/app/cpu.cfs_quota_us": "-1", "cpu/app/cpu.cfs_period_us": "100000"},
            8,
            id="version 1 without quota",
        ),
        pytest.param("", {}, 8, id="no cgroup"),
    ],
)
def test_the_least_of_affinity_and_quotas_counts(tmp_path: Path, proc: str, files: dict[str, str], cores: int) -> None:
    (tmp_path / "proc").write_text(proc)
    for name, text in files.items():
        file = tmp_path / "sys" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert available_cores(tmp_path / "sys", tmp_path / "proc") == cores


def test_without_proc_affinity_counts(tmp_path: Path) -> None:
    assert available_cores(tmp_path, tmp_path / "nothing") == 8

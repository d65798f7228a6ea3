"""A worker loads what costs memory and time for those only who ask for it."""

import subprocess
import sys


def test_a_worker_knows_neither_tls_nor_dns_until_it_is_told_to() -> None:
    program = "import sys, strangler.dataplane.__main__; print(*{'dns', 'cryptography'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == []

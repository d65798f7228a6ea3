"""The number of descriptors that the gateway's processes may have: as many as the system lets them."""

import resource


def raise_limit() -> None:
    """Raise the soft limit to the hard one; processes that are started later inherit it.

    The usual soft limit of 1,024 is for programs that still use ``select``.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

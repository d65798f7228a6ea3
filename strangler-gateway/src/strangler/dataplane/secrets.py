"""Key files that are looked at again while requests go on."""

import asyncio

from strangler.adapters.secrets import SecretMissing, read_file, read_secret
from strangler.policies.refusals import Unavailable

__all__ = ["SecretMissing", "fetch_file", "read_file", "read_secret"]


async def fetch_file(path: str) -> bytes:
    """A file, read in a thread. Raises ``Unavailable``."""
    try:
        return await asyncio.to_thread(read_file, path)
    except SecretMissing as missing:
        raise Unavailable(str(missing)) from None

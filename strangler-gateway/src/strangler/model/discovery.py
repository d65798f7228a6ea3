"""How the endpoints of an upstream are found where they do not stand in the configuration. Times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DnsDiscovery:
    """Ask the DNS, again and again. Either ``host`` with ``port`` (A and AAAA), or ``srv``."""

    host: str = ""
    port: int = 0
    srv: str = ""
    at_least: float = 1.0
    """An answer is asked for anew after its TTL, but no sooner than this …"""
    at_most: float = 300.0
    """… and no later than this."""
    servers: tuple[str, ...] = ()
    """Addresses of name servers, ``ADDRESS`` or ``ADDRESS:PORT``; the system's if there are none."""

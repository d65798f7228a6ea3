"""A name server for tests: a few records over UDP on loopback, which a test changes, breaks and counts."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class DnsServer:
    """What it answers. A name without records is NXDOMAIN; a name without those of a type has none of it."""

    port: int
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Values by name (without the final dot) and type."""
    ttl: int = 1
    broken: str = ""
    """``silent`` answers nothing; SERVFAIL, REFUSED and the like answer so; empty is well."""
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def set(self, name: str, kind: str, *values: str) -> None:
        """These are the records of this type now."""
        self.records[name, kind] = list(values)

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to a question."""
        query = dns.message.from_wire(wire)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if self.broken == "silent":
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        values = self.records.get((name, kind), [])
        if self.broken:
            response.set_rcode(dns.rcode.from_text(self.broken))
        elif values:
            response.answer.append(dns.rrset.from_text(question.name, self.ttl, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()


@contextlib.contextmanager
def dns_server() -> Iterator[DnsServer]:
    """Run one for the length of a ``with`` block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        server = DnsServer(sock.getsockname()[1])
        ended = threading.Event()

        def serve() -> None:
            while True:
                wire, client = sock.recvfrom(4096)
                if ended.is_set():
                    return
                if (answer := server.answer(wire)) is not None:
                    sock.sendto(answer, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        ended.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", server.port))
        thread.join(5)

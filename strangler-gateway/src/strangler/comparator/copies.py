"""A mirrored request as it is asked once more: parsed from the head that the worker passed on."""

from dataclasses import dataclass

from strangler.http1.request import RequestHead, RequestParser
from strangler.link.mirrored import Mirrored
from strangler.model.snapshot import Limits
from strangler.shadow.answer import Answer, Fields, Question

_PARSER = RequestParser(Limits(target_bytes=1024 * 1024, header_count=2000, header_bytes=2 * 1024 * 1024))
"""The worker has judged the client's head by its own limits, and has added to it."""


@dataclass(eq=False, slots=True)
class Copy:
    """One request for an arm; what a transform asks of a request it has."""

    head: RequestHead
    body: bytes
    client: str
    request_id: bytes
    endpoint: str = ""

    @property
    def ids(self) -> "Copy":
        """How it is called."""
        return self

    @property
    def bodiless(self) -> bool:
        """Whether the answer has no content whatever its head says."""
        return self.head.method == b"HEAD"


def copy_of(mirrored: Mirrored) -> Copy:
    """Raises ``RequestRefused`` for a head that is none."""
    head = _PARSER.parse(mirrored.head)
    head.length = len(mirrored.body)
    ids = head.fields.special.get(b"x-request-id", [b""])
    return Copy(head, mirrored.body, mirrored.client, ids[0], mirrored.endpoint)


def question_of(copy: Copy) -> Question:
    """The request as it is compared and kept."""
    head = copy.head
    return Question(head.method, head.target, fields_of(b"\r\n".join((b"", *head.fields.lines))), copy.body)


def primary_of(mirrored: Mirrored) -> Answer:
    """The answer that the client got."""
    line, _, rest = mirrored.answer.partition(b"\r\n")
    return Answer(int(line[9:12]), fields_of(b"\r\n" + rest.rstrip(b"\r\n")), mirrored.content, mirrored.seconds)


def fields_of(block: bytes) -> Fields:
    """The fields of a block: lines with a CRLF before each."""
    pairs = (line.partition(b":") for line in block.split(b"\r\n")[1:] if line)
    return tuple((name, value.strip(b" \t")) for name, _, value in pairs)

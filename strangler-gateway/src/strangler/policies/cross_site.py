"""Whether a page of another site made a browser send a request: its cookies go along whoever asks for it."""

from strangler.http1.request import RequestHead

SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE"))
"""Methods that change nothing (RFC 9110 §9.2.1)."""
_OWN = frozenset((b"same-origin", b"none"))
"""What ``Sec-Fetch-Site`` says of a site's own pages, and of what a user typed."""


def is_cross_site(head: RequestHead, origins: frozenset[bytes]) -> bool:
    """Whether an unsafe request comes from a page that is neither of this host nor of ``origins`` (in lower case).

    To ask for a WebSocket is unsafe: any page may open one, and read what it says. Browsers send ``Sec-Fetch-Site``,
    older ones ``Origin`` alone; what sends neither is no browser, and sends no cookie that somebody else wants to be
    sent.
    """
    fields = head.fields
    if head.method in SAFE and not fields.websocket:
        return False
    pages = {value.lower() for value in fields.values(b"origin")}
    if pages and pages <= origins:
        return False
    sites = fields.values(b"sec-fetch-site")
    if sites:
        return not _OWN.issuperset(sites)
    return any(page.partition(b"://")[2] != head.host.lower() for page in pages)

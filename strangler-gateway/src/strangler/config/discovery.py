"""Discovery in the file: from its section to a value of the model, and what contradicts itself."""

from collections.abc import Callable

from strangler.config.addresses import parse_listener
from strangler.config.document import Path as DocumentPath
from strangler.config.schema.upstream import UpstreamSection
from strangler.model.discovery import DnsDiscovery

Report = Callable[[DocumentPath, str], None]


def dns_discovery(section: UpstreamSection, place: DocumentPath, report: Report) -> DnsDiscovery | None:
    """How the endpoints are found in the DNS; None where they are not."""
    found = section.discovery
    if found is None:
        if not section.endpoints:
            report(place, "there is no endpoint; write endpoints: [http://HOST:PORT], or «discovery»")
        return None
    place = (*place, "discovery")
    if found.registry + (found.dns is not None) + (found.srv is not None) != 1:
        report(place, "discovery needs one of «registry», «dns» and «srv»")
    if found.registry:
        if section.endpoints:
            report((*place[:-1], "endpoints"), "these endpoints register themselves; remove the list, or «discovery»")
        return None
    if found.at_least > found.at_most:
        report((*place, "at_least"), f"{found.at_least:g} is more than «at_most», {found.at_most:g}")
    if found.srv is not None and section.tls is not None and section.tls.server_name is None:
        report((*place[:-1], "tls"), "endpoints from «srv» have no name to verify; add server_name")
    at = parse_listener(found.dns) if found.dns is not None else None
    host, port = (at.host, at.port) if at else ("", 0)
    return DnsDiscovery(host, port, found.srv or "", found.at_least, found.at_most, tuple(found.servers))

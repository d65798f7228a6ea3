"""The certificates of a worker: which one a client is shown, and how a new one takes an old one's place."""

import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

from strangler.model.tls import CertificateFiles, DownstreamTls
from strangler.telemetry.families.tls import CERTIFICATE_EXPIRY, CERTIFICATE_REFUSED
from strangler.telemetry.meters import Reading
from strangler.tls.contexts import certified, server_context
from strangler.tls.pair import Pair, day, signature
from strangler.tls.refusal import CertificateRefused


@dataclass(slots=True)
class _Shown:
    """One certificate in use."""

    pair: Pair
    context: ssl.SSLContext
    seen: tuple[object, ...]
    """The signature of the files when they were looked at last."""
    refused: bool = False
    """Whether the files hold something else by now that cannot be used."""


class Certificates:
    """Every handshake begins with ``front``, which then takes the context of the name that the client asks for.

    So certificates change without a new listener. Session tickets belong to ``front``, and outlive a change.
    """

    def __init__(self, settings: DownstreamTls) -> None:
        """Load everything. Raises ``CertificateRefused``."""
        self.settings = settings
        self.front = server_context(settings.minimum)
        self.front.sni_callback = self._choose
        self._show([self._load(files, settings.minimum) for files in settings.certificates])

    def look_again(self) -> tuple[list[str], list[str]]:
        """Take over what has changed on disk; what cannot be used leaves the old in place.

        Returns what was taken and what was refused, each as a sentence; the same refusal is told once.
        """
        taken: list[str] = []
        refused: list[str] = []
        shown: list[_Shown] = []
        for old in self._shown:
            files = old.pair.files
            seen = signature(files.certificate, files.key)
            if seen == old.seen:
                shown.append(old)
                continue
            try:
                new = self._renewed(old)
            except CertificateRefused as error:
                old.seen, old.refused = seen, True
                refused.append(f"{error}; the certificate that is in use until {day(old.pair.not_after)} stays")
                shown.append(old)
            else:
                taken.append(f"{files.certificate} is new, and valid until {day(new.pair.not_after)}")
                shown.append(new)
        self._show(shown)
        return taken, refused

    def readings(self) -> Iterator[Reading]:
        """For metrics."""
        for shown in self._shown:
            path = shown.pair.files.certificate
            yield CERTIFICATE_EXPIRY, (path,), shown.pair.not_after
            yield CERTIFICATE_REFUSED, (path,), int(shown.refused)

    def _renewed(self, old: _Shown) -> _Shown:
        new = self._load(old.pair.files, self.settings.minimum)
        if new.pair.not_after <= time.time() < old.pair.not_after:
            raise CertificateRefused(f"{new.pair.files.certificate} has expired on {day(new.pair.not_after)}")
        return new

    @staticmethod
    def _load(files: CertificateFiles, minimum: str) -> _Shown:
        seen = signature(files.certificate, files.key)  # before reading: what changes meanwhile is looked at again
        context, pair = certified(files, minimum)
        return _Shown(pair, context, seen)

    def _show(self, shown: list[_Shown]) -> None:
        by_name: dict[str, ssl.SSLContext] = {}
        for each in shown:
            for name in each.pair.names:
                by_name.setdefault(name, each.context)
        self._shown = shown
        self._by_name = by_name

    def _choose(self, handshake: ssl.SSLObject, name: str | None, _front: ssl.SSLContext) -> None:
        """The exact name, else a wildcard for its first label (RFC 9525 §6.3), else the first certificate."""
        context = None
        if name is not None:
            name = name.lower().removesuffix(".")
            context = self._by_name.get(name) or self._by_name.get("*." + name.partition(".")[2])
        handshake.context = context or self._shown[0].context

"""Metrics of TLS: the certificates that clients are shown. Failed handshakes are among the failures."""

from strangler.telemetry.family import Family

CERTIFICATE_EXPIRY = Family(
    "strangler_tls_certificate_expiry_timestamp_seconds",
    "gauge",
    ("certificate",),
    "When the certificate that clients are shown expires, in seconds since 1970; the earliest among the workers.",
    merge="min",
)
CERTIFICATE_REFUSED = Family(
    "strangler_tls_certificate_refused",
    "gauge",
    ("certificate",),
    "1 while the files hold something newer that cannot be used, so that the old certificate stays.",
    merge="max",
)

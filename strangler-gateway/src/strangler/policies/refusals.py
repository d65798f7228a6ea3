"""Why an authenticator cannot say who asks: the credential is not good, or nobody can judge it now."""


class Rejected(Exception):
    """A credential that proves nothing. ``reason`` is for counters; the text is for the client and gives nothing away.

    ``browser``: it was a cookie, which browsers send unasked long after it has lost its meaning, so that it counts as
    absent where a route does not need to know who asks.
    """

    def __init__(self, reason: str, detail: str, *, browser: bool = False) -> None:
        self.reason = reason
        self.detail = detail
        self.browser = browser
        super().__init__(f"{reason}: {detail}")


class Unavailable(Exception):
    """What is needed to judge a credential cannot be had now. The text is for the log."""


class Crowded(Unavailable):
    """Too much is asked for at once already: this says nothing of whoever would have been asked."""

"""The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere."""

from strangler.shadow.report import Report


def as_html(report: Report, made: float) -> str:
    """The page, whole. ``made`` is the time of it: seconds since the epoch."""
    raise NotImplementedError

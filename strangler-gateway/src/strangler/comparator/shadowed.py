"""One route as the comparator has it: both arms, its rules made ready, and how often each side may still be asked."""

from collections.abc import Mapping
from datetime import date

from strangler.comparator.allowance import Allowance
from strangler.comparator.arms import Arm
from strangler.model.decision import Arm as Side
from strangler.model.route import Route
from strangler.model.upstream import Upstream
from strangler.policies.marks import Marks
from strangler.policies.transform.arms import arm_transform
from strangler.shadow.redaction import Redactor
from strangler.shadow.rules import Rules
from strangler.telemetry.meters import Meters
from strangler.upstream.balancers import Balancers

REPEATS = 0.1
"""Of the rate at which the candidate may be asked: how often the primary may be asked again, for long. At once it may
be asked as often as the candidate: some dozens of second answers settle what is noise, and until then each counts."""
TURNS = 2.0
"""Seconds' worth of questions that may wait and then be asked at once: what was let in while the service stood still
is not to meet it all in one moment."""
LATER_SAMPLES = 2.0
"""Per second, of a route that has enough of them."""


class Shadowed:
    """Made anew when the route or its upstreams change, and each day: a rule may expire."""

    def __init__(
        self,
        route: Route,
        upstreams: Mapping[str, Upstream],
        balancers: Balancers,
        meters: Meters,
        today: date,
        marks: Marks | None = None,
    ) -> None:
        """Raises ``RuleRefused``. The route has a service arm."""
        assert route.service is not None
        self.made_of = ingredients(route, upstreams, today, marks)
        self.name = route.name
        self.service = route.service
        self.settings = settings = route.shadowing
        self.marks = marks if settings.writes else None
        """What makes marks for writes; None where they are not shadowed."""
        self.rules = Rules(settings.comparing, today)
        self.redactor = Redactor(settings.redaction)
        candidate = arm_transform(route, Side.SERVICE, upstreams[route.service], meters)
        primary = arm_transform(route, Side.MONOLITH, upstreams[route.monolith], meters)
        self.candidate = Arm(balancers, route.service, candidate)
        self.primary = Arm(balancers, route.monolith, primary)
        self.questions = Allowance(settings.rate)
        self.turns = Allowance(settings.rate, at_once=settings.rate * TURNS)
        self.repeats = Allowance(settings.rate * REPEATS, at_once=settings.rate)
        self.samples = Allowance(LATER_SAMPLES)


def ingredients(route: Route, upstreams: Mapping[str, Upstream], today: date, marks: Marks | None) -> object:
    """All that it depends on."""
    return route, upstreams[route.service or ""], upstreams[route.monolith], today, marks

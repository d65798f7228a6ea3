"""Moves a route or a module through stages with the command `strangler`, each step on what was seen before it.

1. Flip to the stage; whatever does not come about ends the rollout.
2. Watch for at least `--watch` seconds, and at mirrored stages until the comparator says «equivalent» of every route.
3. A route that is «different», or whose service answers with too many errors, sends the target back to where it was
   before the rollout: exit status 1.
4. Not enough seen within `--patience` seconds: the target stays where it is, exit status 3. Run it again to go on.

With `--certificate` nothing is flipped unless `strangler bench --certify` has found the service fast enough: exit
status 1 where it was not, 3 where that could not be told, 2 for a file that is no certificate, was changed, or is old.

Which gateway that is, and the token for it, comes from STRANGLER_ADMIN and STRANGLER_ADMIN_TOKEN, or STRANGLER_STATE.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import certificate

DONE, WORSE, WRONG, UNSEEN = 0, 1, 2, 3
STAGES = "shadow,canary:1,canary:10,canary:50,service"
MIRRORED = ("shadow", "canary")
"""At the other stages nothing is compared."""

Ask = Callable[..., dict[str, Any]]
"""Arguments of `strangler` -> the JSON document that it prints; raises `Refused`."""


class Refused(Exception):
    """`strangler` could not do it, or said what cannot be read."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage, and at a canary its weight in percent."""

    stage: str
    weight: str | None = None
    cohorts: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Step":
        """From `shadow`, `canary:5` or `service`."""
        stage, _, weight = text.partition(":")
        if stage not in (*MIRRORED, "service", "monolith") or (stage == "canary") is not bool(weight):
            raise argparse.ArgumentTypeError(f"«{text}» is no stage: shadow, canary:PERCENT or service")
        return cls(stage, weight or None)

    def same(self, other: "Step") -> bool:
        """Whether a flag is at this step, cohorts apart: `10` is `10.00`."""
        return self.stage == other.stage and float(self.weight or 0) == float(other.weight or 0)

    def __str__(self) -> str:
        return f"{self.stage} {self.weight} %" if self.weight else self.stage


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each step is watched, and what is too bad."""

    watch: float = 60.0
    patience: float = 900.0
    interval: float = 5.0
    errors: float = 0.01
    """Of the service's answers of the last minute, the share of 500 and above from which it is worse …"""
    least: int = 20
    """… if there were so many."""


@dataclass(slots=True)
class Rollout:
    """One target on its way; time is given, so that tests need none."""

    ask: Ask
    target: str
    reason: str
    limits: Limits
    say: Callable[[str], None] = print
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    _before: list[tuple[str, Step]] = field(default_factory=list)

    def run(self, steps: Sequence[Step]) -> int:
        """Take all steps, and return the exit status."""
        self._before = [(route["name"], _flag(route)) for route in self._routes()]
        if not self._before:
            raise Refused(f"there is no route or module «{self.target}»")
        for step in _from_here(steps, [flag for _, flag in self._before]):
            self._flip(self.target, step, self.reason)
            self.say(f"{self.target}: {step}")
            status = self._watch(step)
            if status != DONE:
                return status
        self.say(f"{self.target}: rolled out")
        return DONE

    def _watch(self, step: Step) -> int:
        """Look until the step is good, bad, or patience ends."""
        began = self.now()
        while True:
            worse, missing = self._looks(step)
            if worse:
                return self._back(step, worse)
            if not missing and self.now() - began >= self.limits.watch:
                return DONE
            if self.now() - began >= max(self.limits.patience, self.limits.watch):
                self.say(f"{self.target} stays at {step}: {missing}")
                return UNSEEN
            self.wait(self.limits.interval)

    def _looks(self, step: Step) -> tuple[str, str]:
        """What is worse, and what has not been seen yet; both empty if the next step may be taken."""
        routes = self._routes()
        for route in routes:
            if route["killed"]:
                return f"{route['name']} has been killed", ""
            served = route["live"]["service"]
            if served["requests"] >= self.limits.least and served["errors"] > self.limits.errors * served["requests"]:
                return f"{route['name']}: {served['errors']} of {served['requests']} answers are errors", ""
        if step.stage not in MIRRORED:
            return "", ""
        standings = {item["route"]: item for item in self.ask("shadow", "status")["items"]}
        missing = ""
        for route in routes:
            standing = standings.get(route["name"], {"verdict": "not_enough_seen", "claim": "nothing compared yet"})
            said = f"{route['name']}: {standing['claim']}"
            if standing["verdict"] == "different":
                return said, ""
            if standing["verdict"] != "equivalent":
                missing = missing or said
        return "", missing

    def _back(self, step: Step, why: str) -> int:
        self.say(f"{self.target} goes back from {step}: {why}")
        for name, before in self._before:
            self._flip(name, before, f"rollout stopped at {step}: {why}")
        return WORSE

    def _flip(self, target: str, step: Step, reason: str) -> None:
        weight = ["--weight", step.weight] if step.weight else []
        cohorts = [part for cohort in step.cohorts for part in ("--cohort", cohort)]
        self.ask("flip", target, step.stage, *weight, *cohorts, "--reason", reason)

    def _routes(self) -> list[dict[str, Any]]:
        items = self.ask("routes")["items"]
        return [item for item in items if self.target in (item["name"], item.get("module"))]


def _from_here(steps: Sequence[Step], flags: Sequence[Step]) -> Sequence[Step]:
    """Leave out the steps below the one at which all routes are already, if they are at one of them."""
    for number, step in enumerate(steps):
        if all(flag.same(step) for flag in flags):
            return steps[number:]
    return steps


def _flag(route: Mapping[str, Any]) -> Step:
    weight = str(route["weight"]) if route["stage"] == "canary" else None
    return Step(route["stage"], weight, tuple(route["cohorts"]))


def strangler(*arguments: str) -> dict[str, Any]:
    """Run the command with `--json`, and with the address where STRANGLER_ADMIN gives one."""
    done = subprocess.run(["strangler", *arguments, "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr.strip() or f"strangler {arguments[0]} ended with status {done.returncode}")
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise Refused(f"strangler {arguments[0]} printed no JSON: {error}") from error
    return document


def _certified(file: Path, days: float) -> int:
    """The exit status that a certificate leads to; 0 if the rollout may begin."""
    try:
        found = certificate.read(file, days)
    except certificate.Unusable as error:
        sys.stderr.write(f"rollout: {error}\n")
        return WRONG
    if found.standing == certificate.HOLDS:
        _say(f"certified: {found.claim}")
        return DONE
    because = "".join(f"\n  {each}" for each in found.because)
    sys.stderr.write(f"rollout: the certificate {found.standing}: {found.claim}; nothing was flipped{because}\n")
    return WORSE if found.standing == certificate.FAILS else UNSEEN


def main(arguments: Sequence[str] | None = None) -> int:
    """``ci/rollout TARGET --reason TEXT``."""
    limits = Limits()
    parser = argparse.ArgumentParser(
        prog="ci/rollout", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("target", help="a route, or a module with all its routes")
    parser.add_argument("--stages", default=os.environ.get("ROLLOUT_STAGES") or STAGES, help=f"[default: {STAGES}]")
    parser.add_argument("--reason", required=True, help="why; it stands in the history of each flip")
    parser.add_argument("--watch", type=float, default=limits.watch, metavar="S", help="at least so long at each stage")
    parser.add_argument(
        "--patience", type=float, default=limits.patience, metavar="S", help="at most so long for a verdict"
    )
    parser.add_argument("--interval", type=float, default=limits.interval, metavar="S", help="between two looks")
    parser.add_argument(
        "--errors", type=float, default=limits.errors, metavar="SHARE", help="of 5xx answers that is too many"
    )
    parser.add_argument(
        "--certificate",
        default=os.environ.get("ROLLOUT_CERTIFICATE"),
        metavar="FILE",
        help="that must hold, else no flip",
    )
    parser.add_argument(
        "--certificate-days", type=float, default=30.0, metavar="N", help="how old it may be [default: 30]"
    )
    options = parser.parse_args(arguments)
    limits = Limits(options.watch, options.patience, options.interval, options.errors)
    try:
        steps = [Step.parse(text.strip()) for text in options.stages.split(",")]
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    if options.certificate:
        status = _certified(Path(options.certificate), options.certificate_days)
        if status != DONE:
            return status
    rollout = Rollout(strangler, options.target, options.reason, limits, say=_say)
    try:
        return rollout.run(steps)
    except Refused as error:
        sys.stderr.write(f"rollout: {error}\n")
        return WORSE


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

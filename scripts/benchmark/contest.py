"""Contenders that do the same work in turn, and what came of it."""
import statistics
import sys
import time
from dataclasses import dataclass, field


class Missing(Exception):
    """A contender that is not on this machine: named in the report, counted nowhere."""


@dataclass
class Goal:
    """What is wanted of a contender, at least or at most: its share of the reference, or its own figure
    where there is no reference. The median of the rounds is meant, or the worst of them."""

    product: str
    reference: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    worst: bool = False

    def words(self, unit):
        sign, wanted = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        rounds = ", in each round" if self.worst else ""
        if self.reference:
            return f"{sign} {wanted:g} × {self.reference}{rounds}"
        return f"{sign} {wanted:,g} {unit}{rounds}"

    def of(self, values):
        """The one of the rounds' figures that counts."""
        if not self.worst:
            return statistics.median(values)
        return min(values) if self.at_least is not None else max(values)

    def met(self, measured):
        return measured >= self.at_least if self.at_least is not None else measured <= self.at_most


@dataclass
class Contest:
    """One kind of work, measured side by side."""

    title: str
    unit: str
    goals: list[Goal] = field(default_factory=list)
    note: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    # Whether they do the same work, so that one may be divided by the other.
    alike: bool = True
    # By whom the others' figures are divided; the first one unless said otherwise.
    base: str | None = None

    def add(self, contender, value):
        self.values.setdefault(contender, []).append(value)
        say(f"  {self.title}: {contender}: {figure(value)} {self.unit}")

    def skip(self, contender, why):
        if contender not in self.missing:
            say(f"  {self.title}: {contender}: skipped, {why}")
        self.missing[contender] = str(why).partition("\n")[0]

    def run(self, rounds, contenders):
        """Lets each contender do the work once a round: what troubles the machine troubles all."""
        self.base = self.base or next(iter(contenders))
        for _ in range(rounds):
            for name, work in contenders.items():
                if name in self.missing:
                    continue
                try:
                    self.add(name, work())
                except (Missing, RuntimeError) as why:
                    self.skip(name, why)

    def lacks_ours(self):
        """Whether somebody could not do the work who has a goal in it."""
        return any(goal.product in self.missing for goal in self.goals)

    def median(self, contender):
        return statistics.median(self.values[contender])

    def measured(self, goal):
        """What the goal is about; nothing where it was not measured."""
        if goal.reference:
            values = self.ratios(goal.product, goal.reference)
        else:
            values = self.values.get(goal.product)
        return goal.of(values) if values else None

    def ratios(self, product, reference):
        """Each round's ratio: what was measured side by side is compared side by side."""
        pairs = zip(self.values.get(product, []), self.values.get(reference, []))
        return [ours / theirs for ours, theirs in pairs if theirs]


def figure(value):
    """Three figures that count."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def p(values, share):
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_started = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - _started:5.0f} s] {text}", file=sys.stderr, flush=True)

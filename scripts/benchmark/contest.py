"""Contenders that do the same work in turn, and their figures."""
import statistics
import sys
import time
from dataclasses import dataclass, field


class Missing(Exception):
    """A contender that is not on this machine: named in the report, counted nowhere."""


@dataclass
class Goal:
    """The goal of a contender, at least or at most: its share of the reference's figure, or its own figure
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
        """The figure of all rounds that counts for the goal."""
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
    # Whether the contenders do the same work, so that one figure may be divided by the other.
    alike: bool = True
    # The contender by whose figures the others' are divided; the first one unless set.
    base: str | None = None

    def add(self, contender, value):
        self.values.setdefault(contender, []).append(value)
        say(f"  {self.title}: {contender}: {figure(value)} {self.unit}")

    def skip(self, contender, why):
        if contender not in self.missing:
            say(f"  {self.title}: {contender}: skipped, {why}")
        self.missing[contender] = str(why).partition("\n")[0]

    def run(self, rounds, contenders):
        """Lets each contender do the work once a round: a disturbance of the machine affects all of them."""
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
        """Whether a contender with a goal could not do the work."""
        return any(goal.product in self.missing for goal in self.goals)

    def median(self, contender):
        return statistics.median(self.values[contender])

    def measured(self, goal):
        """The figure of the goal; None where it was not measured."""
        if goal.reference:
            values = self.ratios(goal.product, goal.reference)
        else:
            values = self.values.get(goal.product)
        return goal.of(values) if values else None

    def ratios(self, product, reference):
        """The ratio of each round: figures of one round are compared with each other."""
        pairs = zip(self.values.get(product, []), self.values.get(reference, []))
        return [ours / theirs for ours, theirs in pairs if theirs]


def figure(value):
    """The value with three significant figures."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def p(values, share):
    """The quantile: the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_started = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - _started:5.0f} s] {text}", file=sys.stderr, flush=True)

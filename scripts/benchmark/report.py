"""The tables, as Markdown."""
import statistics

from contest import figure


def tables(contests):
    """A table for each kind of work."""
    return "\n".join(table(contest) for contest in contests if contest.values or contest.missing)


def table(contest):
    ours = contest.base or next(iter(contest.values), "")
    lines = [f"### {contest.title[0].upper()}{contest.title[1:]}", ""]
    if contest.note:
        lines += [contest.note, ""]
    unit = f", {contest.unit}" if contest.unit else ""
    if not contest.alike:
        lines += [f"| | median{unit} |", "|---|---|"]
        lines += [f"| {name} | {figure(contest.median(name))} |" for name in contest.values]
        return "\n".join([*lines, ""])
    lines += [f"| | median{unit} | from – to | rounds | {ours} ÷ this |", "|---|---|---|---|---|"]
    for name, values in contest.values.items():
        ratios = contest.ratios(ours, name) if name != ours else []
        spread = f"{figure(min(values))} – {figure(max(values))}"
        shown = f"{statistics.median(ratios):.2f}" if ratios else ""
        lines.append(f"| {name} | {figure(contest.median(name))} | {spread} | {len(values)} | {shown} |")
    lines += [f"| {name} | skipped: {why} | | | |" for name, why in contest.missing.items()]
    return "\n".join([*lines, ""])


def goals(contests):
    """One line for each goal: the goal, and the figure measured."""
    lines = ["| work | goal | measured | |", "|---|---|---|---|"]
    for contest in contests:
        if not contest.values and not contest.goals:
            lines += [f"| {contest.title}: {name} | not measured: {why} | | |" for name, why in contest.missing.items()]
        for goal in contest.goals:
            work = contest.title if contest.title.endswith(goal.product) else f"{contest.title}, {goal.product}"
            measured, words = contest.measured(goal), goal.words(contest.unit)
            if measured is None:
                lines.append(f"| {work} | {words} | not measured | |")
                continue
            shown = f"{measured:.2f}" if goal.reference else figure(measured)
            met = "met" if goal.met(measured) else "**missed**"
            lines.append(f"| {work} | {words} | {shown} | {met} |")
    return "\n".join([*lines, ""])

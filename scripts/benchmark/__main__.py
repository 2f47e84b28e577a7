"""See `scripts/bench`, which builds what is needed and runs this."""
import argparse
import datetime
import os
import shutil
import sys
import tempfile
import traceback

import accounts
import clusters
import machine
import pictures
import quality
import report
import routes
import siege
import versus
from contest import Contest, say
from products import STORES, TOP, Bench

WORK = {
    "machine": [machine.floors],
    "thumbnails": [pictures.thumbnails, quality.thumbnails],
    "uploads": [pictures.uploads],
    "views": [pictures.views],
    "gridfs": [clusters.gridfs],
    "processes": [clusters.two_processes],
    "sign-in": [accounts.sign_in],
    "listing": [accounts.listing],
    "many": [lambda bench, store=store: accounts.many(bench, store) for store in STORES],
    "routes": [routes.main_routes],
    "siege": [lambda bench, store=store: siege.all_at_once(bench, store) for store in STORES],
    "large": [
        lambda bench: clusters.large_zip(bench, "embedded", 1 if bench.quick else 10),
        lambda bench: clusters.large_zip(bench, "MongoDB", 1 if bench.quick else 2),
    ],
    "versus": [versus.builds],
}
SLOW = {"many", "siege", "large"}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Image Vault beside others.")
    parser.add_argument("work", nargs="*", choices=[*WORK, []], help="only these")
    parser.add_argument("--quick", action="store_true", help="fewer photographs and rounds, under three minutes")
    parser.add_argument("--corpus", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--before", type=os.path.abspath, help="another build of the program, for `versus`")
    parser.add_argument("--out", help="a file to write the tables to (default: standard output)")
    options = parser.parse_args()
    left_out = (SLOW if options.quick else set()) | (set() if options.before else {"versus"})
    wanted = options.work or [name for name in WORK if name not in left_out]
    if "versus" in wanted and not options.before:
        parser.error("versus: beside which build? Say --before=PROGRAM")
    scratch = tempfile.mkdtemp(prefix="bench-", dir=os.path.join(TOP, "target"))
    bench = Bench(scratch, options.corpus, options.quick, options.before)
    say(f"{len(bench.photos)} photographs, {bench.bytes / 1e6:.0f} MB")
    contests, facts, failed = [], machine.facts(), False
    try:
        for name in wanted:
            for measure in WORK[name]:
                say(name)
                try:
                    contests += measure(bench)
                except Exception as why:  # any failure: the figures measured before must not be lost for it
                    traceback.print_exc()
                    contests.append(Contest(name, "", missing={"all of it": str(why).partition("\n")[0]}))
                    failed = True
                finally:
                    # The next part gets another mongod, and the disk space of this one.
                    bench.close()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    write(options, facts, contests, f"{len(bench.photos)} photographs, {bench.bytes / 1e6:.0f} MB")
    return failed or any(contest.lacks_ours() for contest in contests)


def write(options, facts, contests, corpus):
    command = " ".join(["scripts/bench", *(["--quick"] if options.quick else []), *options.work])
    text = "\n".join(
        [
            f"Measured on {datetime.date.today()} by `{command}`, with {corpus}, on:",
            "",
            *[f"- {line}" for line in facts],
            "",
            "Each figure is the median of its rounds, each ratio the median of the rounds' ratios: in each round all",
            "do the same work one after the other.",
            "",
            "### Goals",
            "",
            report.goals(contests),
            report.tables(contests),
        ]
    )
    if options.out is None:
        print(text)
        return
    with open(options.out) as page:
        before, rest = page.read().split(BEGIN)
    with open(options.out, "w") as page:
        page.write(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}")


sys.exit(main())

"""Signing in, and many pictures in one account."""
import os
import shutil
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import load
import products
from contest import Contest, Goal, Missing, p
from processes import run

PAGES = {
    "list call": "/api/v1/images?limit=100",
    "dashboard": "/vault",
    "timeline": "/api/v1/timeline",
    "search": "/api/v1/images?q=holiday+img_0003&limit=100",
}
# These look at every picture of the account.
OF_ALL = {"timeline", "search"}


def sign_in(bench):
    """The password's hash is meant to be slow; what is added to it is not."""
    contest = Contest(
        "sign-in",
        "ms",
        [Goal("embedded", "Argon2id alone", at_most=1.1)],
        "64 MiB, 3 passes, as by default.",
    )
    beside = Contest(
        "other calls while 20 people sign in, p95",
        "ms",
        [Goal("with 20 sign-ins", "alone", at_most=1.5)],
        "A call of the session's owner, one after the other, embedded store.",
    )
    with products.vault(bench, "embedded") as server:
        call = [{"url": f"{server.base}/api/v1/session", "headers": server.headers}] * 400
        people = [f"person{number}" for number in range(20)]
        for person in people:
            server.register(person)

        def enter(login):
            server.call("POST", "/api/v1/sessions", {"login": login, "password": products.PASSWORD})

        def signed_in():
            begun = time.perf_counter()
            enter("ada")
            return (time.perf_counter() - begun) * 1000

        def alone():
            hash_of = os.path.join(products.RELEASE, "examples", "argon2")
            return float(run([hash_of])) * 1000

        def crowded():
            spent = []
            with ThreadPoolExecutor(len(people)) as pool:
                entering = [pool.submit(enter, person) for person in people]
                while not all(one.done() for one in entering):
                    spent += load.times(call)
                for one in entering:
                    one.result()
            return p(spent, 0.95) * 1000

        def calm():
            return p(load.times(call), 0.95) * 1000

        contest.run(5 if bench.quick else 15, {"embedded": signed_in, "Argon2id alone": alone})
        beside.run(3 if bench.quick else 7, {"with 20 sign-ins": crowded, "alone": calm})
    return [contest, beside]


def listing(bench):
    """A list of everything, beside that of a folder of as many files."""
    count = 1_000 if bench.quick else 10_000
    contest = Contest(
        f"list call at {count:,} pictures",
        "ms",
        [Goal("embedded", "copyparty", at_most=0.1)],
        "copyparty lists a folder of empty files, all of it; ours a page of 100.",
    )
    files = bench.folder("many")
    for number in range(count):
        with open(os.path.join(files, f"IMG_{number:06}.jpg"), "w"):
            pass
    place = products.Place(bench, "embedded")
    with ExitStack() as stack:
        server = stack.enter_context(place.start())
        server.register()
        place.seed(count)
        ours = [{"url": server.base + PAGES["list call"], "headers": server.headers}] * 20
        contenders = {"embedded": lambda: statistics.median(load.times(ours)) * 1000}
        try:
            other = stack.enter_context(products.copyparty(bench, files, "pil"))
            theirs = [{"url": f"{other.base}/?ls"}] * 3
            contenders["copyparty"] = lambda: statistics.median(load.times(theirs)) * 1000
        except Missing as why:
            contest.skip("copyparty", why)
        contest.run(5, contenders)
    shutil.rmtree(files)
    return [contest]


def many(bench, store):
    """One account that grows from a thousand pictures to a hundred thousand."""
    sizes = [1_000, 10_000] if bench.quick else [1_000, 10_000, 100_000]
    least, most = f"{sizes[0]:,}", f"{sizes[-1]:,}"
    goal = [Goal(most, least, at_most=1.3), Goal(most, at_most=20)]
    warm = {name: Contest(f"{name}, warm, {store}", "ms", [] if name in OF_ALL else goal) for name in PAGES}
    opened = "The whole catalogue is opened for it."
    cold = Contest(f"first list call after a start, {store}", "ms", [Goal(most, at_most=1000)], opened)
    upload = Contest(f"one more upload, {store}", "ms", [Goal(most, least, at_most=1.1)])
    idle = Contest(f"memory at rest, nobody signed in, {store}", "MiB", [Goal(most, at_most=40)])
    start = Contest(f"start to ready, {store}", "ms", [Goal(most, at_most=300)])
    place, fresh = products.Place(bench, store), iter(bench.photos)
    with place.start() as server:
        server.register()
    for size in sizes:
        name = f"{size:,}"
        place.seed(size)  # what is there already is met, not added
        for _ in range(3):
            with place.start() as server:
                start.add(name, server.ready_after * 1000)
                idle.add(name, server.rss())
                server.sign_in()
                request = {"headers": server.headers}
                cold.add(name, load.times([{**request, "url": server.base + PAGES["list call"]}])[0] * 1000)
                for page, path in PAGES.items():
                    wanted = [{**request, "url": server.base + path}] * (20 if bench.quick else 60)
                    warm[page].add(name, statistics.median(load.times(wanted)) * 1000)
                upload.add(name, load.accepted([server.upload_of(next(fresh))]) * 1000)
    return [*warm.values(), cold, upload, idle, start]

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
# These lists walk over every picture of the account.
OF_ALL = {"timeline", "search"}


def sign_in(bench):
    """The password's hash is meant to be slow; the rest of a sign-in is not."""
    contest = Contest(
        "sign-in",
        "ms",
        [Goal(store, "Argon2id alone", at_most=1.1) for store in products.STORES],
        "64 MiB, 3 passes, as by default.",
    )
    beside = Contest(
        "other calls while 20 people sign in, p95",
        "ms",
        [Goal("with 20 sign-ins", "alone", at_most=1.5)],
        "A call of the session's owner, one after the other, embedded store.",
    )
    with ExitStack() as stack:
        servers = {store: stack.enter_context(products.vault(bench, store)) for store in products.STORES}
        server = servers["embedded"]
        call = [{"url": f"{server.base}/api/v1/session", "headers": server.headers}] * 400
        people = [f"person{number}" for number in range(20)]
        for person in people:
            server.register(person)

        def enter(server, login):
            server.call("POST", "/api/v1/sessions", {"login": login, "password": products.PASSWORD})

        def signed_in(server):
            begun = time.perf_counter()
            enter(server, "ada")
            return (time.perf_counter() - begun) * 1000

        def alone():
            hash_of = os.path.join(products.RELEASE, "examples", "argon2")
            return float(run([hash_of])) * 1000

        def crowded():
            spent = []
            with ThreadPoolExecutor(len(people)) as pool:
                entering = [pool.submit(enter, server, person) for person in people]
                while not all(one.done() for one in entering):
                    spent += load.times(call)
                for one in entering:
                    one.result()
            return p(spent, 0.95) * 1000

        def calm():
            return p(load.times(call), 0.95) * 1000

        ours = {store: lambda store=store: signed_in(servers[store]) for store in servers}
        contest.run(5 if bench.quick else 15, {**ours, "Argon2id alone": alone})
        beside.run(3 if bench.quick else 7, {"with 20 sign-ins": crowded, "alone": calm})
    return [contest, beside]


def listing(bench):
    """A list of the whole account, beside that of a folder of as many files."""
    count = 1_000 if bench.quick else 10_000
    contest = Contest(
        f"list call at {count:,} pictures",
        "ms",
        [Goal(store, "copyparty", at_most=0.1) for store in products.STORES],
        "copyparty and dufs list a folder of empty files, all of it; ours a page of 100.",
    )
    files = bench.folder("many")
    for number in range(count):
        with open(os.path.join(files, f"IMG_{number:06}.jpg"), "w"):
            pass
    with ExitStack() as stack:
        contenders = {}

        def contend(name, rounds, request):
            contenders[name] = lambda: statistics.median(load.times([request] * rounds)) * 1000

        for store in products.STORES:
            place = products.Place(bench, store)
            server = stack.enter_context(place.start())
            server.register()
            place.seed(count)
            contend(store, 20, {"url": server.base + PAGES["list call"], "headers": server.headers})
        others = {
            "copyparty": ("/?ls", lambda: products.copyparty(bench, files, "pil")),
            "dufs": ("/?json", lambda: products.dufs(bench, files)),
        }
        for name, (path, start) in others.items():
            try:
                contend(name, 3, {"url": stack.enter_context(start()).base + path})
            except Missing as why:
                contest.skip(name, why)
        contest.run(5, contenders)
    shutil.rmtree(files)
    return [contest]


def many(bench, store):
    """Three accounts side by side: a thousand pictures, ten thousand, a hundred thousand."""
    sizes = [1_000, 10_000] if bench.quick else [1_000, 10_000, 100_000]
    names = {size: f"{size:,}" for size in sizes}
    least, most, whole = names[sizes[0]], names[sizes[-1]], f"{sum(sizes):,}"

    def contest(title, unit, goals, note=""):
        return Contest(f"{title}, {store}", unit, goals, note, base=most)

    goal = [Goal(most, least, at_most=1.3), Goal(most, at_most=20)]
    warm = {page: contest(f"{page}, warm", "ms", [] if page in OF_ALL else goal) for page in PAGES}
    opened = "The whole catalogue is opened for it."
    cold = contest("first list call after a start", "ms", [Goal(most, at_most=1000)], opened)
    upload = contest("one more upload", "ms", [Goal(most, least, at_most=1.1)], "The same photograph each round.")
    idle = contest("memory at rest, nobody signed in", "MiB", [Goal(whole, at_most=40)])
    start = contest("start to ready", "ms", [Goal(whole, at_most=300)])
    idle.base = start.base = whole
    place = products.Place(bench, store)
    with place.start() as server:
        for size in sizes:
            server.register(f"of{size}")
    for size in sizes:
        place.seed(size, f"of{size}")
    for photo in bench.photos[: 3 if bench.quick else 5]:
        for size, name in names.items():
            with place.start() as server:
                start.add(whole, server.ready_after * 1000)
                idle.add(whole, server.rss())
                server.sign_in(f"of{size}")
                request = {"headers": server.headers}
                cold.add(name, load.times([{**request, "url": server.base + PAGES["list call"]}])[0] * 1000)
                for page, path in PAGES.items():
                    wanted = [{**request, "url": server.base + path}] * (20 if bench.quick else 60)
                    warm[page].add(name, statistics.median(load.times(wanted)) * 1000)
                upload.add(name, load.accepted([server.upload_of(photo)]) * 1000)
    return [*warm.values(), cold, upload, idle, start]

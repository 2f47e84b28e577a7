"""Another build of the same program beside this one, doing the same work: what a change costs."""
from contextlib import ExitStack

import load
import products
from contest import Contest, Goal

CLIENTS = 16
# The loss that a worthwhile change may cost.
MOST_LOST = 0.02


def builds(bench):
    """Both builds on each store."""
    stores = products.STORES[:1] if bench.quick else products.STORES
    return [contest for store in stores for contest in of_store(bench, store)]


def of_store(bench, store):
    programs = {"after": products.PROGRAM, "before": bench.before}
    rounds = 3 if bench.quick else 15

    def contest(title, unit):
        goal = Goal("after", "before", at_least=1 - MOST_LOST)
        return Contest(f"{title}, {store}", unit, [goal], base="before")

    uploads = contest(f"uploads of {len(bench.photos)} photos", "MB/s")
    zips = contest("zip of them", "MB/s")
    originals = contest("originals one after the other", "MB/s")
    thumbnails = contest(f"thumbnails, {CLIENTS} clients", "/s")
    lists = contest(f"list calls, {CLIENTS} clients", "/s")
    pages = contest(f"dashboard, {CLIENTS} clients", "/s")
    with ExitStack() as stack:
        servers = {}
        for name, program in programs.items():
            place = products.Place(bench, store, program)
            stack.callback(place.remove)
            servers[name] = stack.enter_context(place.start())
            servers[name].register()

        def each(work):
            return {name: lambda server=server: work(server) for name, server in servers.items()}

        uploads.run(max(3, rounds // 3), each(lambda server: upload(bench, server)))
        seconds = 1 if bench.quick else 3

        def storm(path):
            def calls(server):
                paths = [path.format(id=image) for image in server.ids()]
                return load.storm(server.base, paths, CLIENTS, seconds, server.headers)[0]

            return calls

        def fetched(server):
            urls = [f"{server.base}/api/v1/images/{image}/original" for image in server.ids()]
            return bench.bytes / load.accepted([{"url": url, "headers": server.headers} for url in urls]) / 1e6

        zips.run(rounds, each(lambda server: load.download(server.archive(), server.headers)[0] / 1e6))
        originals.run(rounds, each(fetched))
        thumbnails.run(rounds, each(storm("/api/v1/images/{id}/thumbnail")))
        lists.run(rounds, each(storm("/api/v1/images?limit=100")))
        pages.run(rounds, each(storm("/vault")))
    return [uploads, zips, originals, thumbnails, lists, pages]


def upload(bench, server):
    """Megabytes a second of photographs that the vault does not hold yet."""
    for image in server.ids():
        server.call("DELETE", f"/api/v1/images/{image}?permanent=true")
    return bench.bytes / load.accepted([server.upload_of(photo) for photo in bench.photos], 4) / 1e6

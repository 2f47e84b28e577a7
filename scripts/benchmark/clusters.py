"""MongoDB: what its driver can do, and two processes on one."""
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import load
import products
from contest import Contest, Goal
from processes import run

AT_ONCE = 4


def gridfs(bench):
    """A zip out of GridFS, beside the plainest ways to read the same bytes."""
    contest = Contest(
        f"zip of {len(bench.photos)} photos out of MongoDB",
        "MB/s",
        [Goal("MongoDB", "driver's stream", at_least=1.3), Goal("MongoDB", "raw find", at_least=0.8)],
        "The other two read the sealed chunks and do nothing with them.",
    )
    place = products.Place(bench, "MongoDB")
    with place.start() as server:
        server.register()
        load.accepted([server.upload_of(photo) for photo in bench.photos], AT_ONCE)

        def read(way):
            size, seconds = run([os.path.join(products.RELEASE, "examples", "gridfs"), place.uri, way]).split()
            return float(size) / float(seconds) / 1e6

        contest.run(
            3 if bench.quick else 9,
            {
                "MongoDB": lambda: load.download(server.archive(), server.headers)[0] / 1e6,
                "driver's stream": lambda: read("driver"),
                "raw find": lambda: read("raw"),
            },
        )
    return [contest]


def two_processes(bench):
    """Thumbnails from one process, and from two on the same mongod."""
    seconds = 2 if bench.quick else 4
    contest = Contest(
        "thumbnails, 16 clients, by processes on one mongod",
        "/s",
        [Goal("two", "one", at_least=1.7)],
        "Clients, processes and mongod share the machine's cores.",
    )
    work = Contest("processor time of a thumbnail", "ms", [], "Of the server's process, not of mongod's.")
    place = products.Place(bench, "MongoDB")
    with ExitStack() as stack:
        one = stack.enter_context(place.start())
        one.register()
        photos = bench.photos[:20]
        load.accepted([one.upload_of(photo) for photo in photos], AT_ONCE)
        paths = [f"/api/v1/images/{image}/thumbnail" for image in one.ids()]
        two = stack.enter_context(place.start())

        def from_one():
            spent = one.cpu()
            rate, _ = load.storm(one.base, paths, 16, seconds, one.headers)
            work.add("one", (one.cpu() - spent) / (rate * seconds) * 1000)
            return rate

        def from_both():
            def half(server):
                return load.storm(server.base, paths, 8, seconds, one.headers)[0]

            with ThreadPoolExecutor(2) as pool:
                return sum(pool.map(half, (one, two)))

        contest.run(3 if bench.quick else 7, {"one": from_one, "two": from_both})
    return [contest, work]


def large_zip(bench):
    """How much memory a zip of ten gigabytes takes: copies of the photographs that differ at their ends."""
    wanted = (1 if bench.quick else 10) * (1 << 30)
    title, note = f"memory that a zip of {wanted >> 30} GiB adds", "Embedded store; at most, while it runs."
    contest = Contest(title, "MiB", [Goal("embedded", at_most=8)], note)
    with products.vault(bench, "embedded") as server:
        folder, size, copies = bench.folder("copies"), 0, 0
        while size < wanted:
            batch = []
            for photo in bench.photos:
                copies += 1
                path = os.path.join(folder, f"{copies:05}.jpg")
                shutil.copy(photo, path)
                with open(path, "ab") as out:
                    out.write(copies.to_bytes(8, "big"))
                batch.append(path)
                size += os.path.getsize(path)
            load.accepted([server.upload_of(path) for path in batch], AT_ONCE)
            for path in batch:
                os.unlink(path)
        before = most = server.rss()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(load.download, server.archive(), server.headers)
            while not running.done():
                most = max(most, server.rss())
                time.sleep(0.02)
            speed, _ = running.result()
        contest.add("embedded", most - before)
        contest.note += f" {speed / 1e6:.0f} MB/s."
    return [contest]

"""MongoDB: what its driver can do, and two processes on one."""
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import load
import products
from contest import Contest, Goal
from processes import cpu_of_finished, run

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
    work = Contest("processor time of such a thumbnail", "ms", alike=False)
    busy = Contest("cores at work meanwhile", "", alike=False, note=f"Of {os.cpu_count()}.")
    place = products.Place(bench, "MongoDB")
    with ExitStack() as stack:
        first = stack.enter_context(place.start())
        first.register()
        load.accepted([first.upload_of(photo) for photo in bench.photos[:20]], AT_ONCE)
        paths = [f"/api/v1/images/{image}/thumbnail" for image in first.ids()]
        second = stack.enter_context(place.start())

        def spent():
            return {"servers": first.cpu() + second.cpu(), "mongod": bench.mongod_cpu(), "clients": cpu_of_finished()}

        def storm(name, servers):
            """Two times eight clients, each eight of one server."""

            def half(server):
                return load.storm(server.base, paths, 8, seconds, first.headers)[0]

            before, begun = spent(), time.perf_counter()
            with ThreadPoolExecutor(2) as pool:
                rate = sum(pool.map(half, servers))
            after, took, total = spent(), time.perf_counter() - begun, 0
            for part in before:
                of_part = after[part] - before[part]
                work.add(f"{name}: {part}", of_part / (rate * seconds) * 1000)
                total += of_part
            busy.add(name, total / took)
            return rate

        here = {"one": (first, first), "two": (first, second)}
        contenders = {name: lambda name=name: storm(name, here[name]) for name in here}
        contest.run(3 if bench.quick else 7, contenders)
    return [contest, work, busy]


def large_zip(bench, store, gibibytes):
    """How much memory a large zip takes: copies of the photographs that differ at their ends."""
    wanted = gibibytes << 30
    title, note = f"memory that a zip of {gibibytes} GiB adds, {store}", "At most, while it runs; the server was started for it."
    contest = Contest(title, "MiB", [Goal(store, at_most=8)], note)
    place = products.Place(bench, store)
    try:
        fill(bench, place, wanted)
        contest.add(store, of_zip(place, contest))
    finally:
        place.remove()
    return [contest]


def fill(bench, place, wanted):
    """Uploads copies until there are so many bytes."""
    with place.start() as server:
        server.register()
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


def of_zip(place, contest):
    """MiB that a zip of everything adds to a server that has only just started."""
    with place.start() as server:
        server.sign_in()
        url = server.archive()
        before = most = server.rss()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(load.download, url, server.headers)
            while not running.done():
                most = max(most, server.rss())
                time.sleep(0.02)
            speed, _ = running.result()
    contest.note += f" {speed / 1e6:.0f} MB/s."
    return most - before

"""Pictures in and out: thumbnails, uploads, zips, originals."""
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import load
import products
from contest import Contest, Goal, Missing
from processes import need, run, timed

AT_ONCE = 4
SIDE = 400


def vipsthumbnail(photos, folder):
    return [need("vipsthumbnail"), "--size", f"{SIDE}x{SIDE}", "-o", f"{folder}/%s.jpg[Q=80,strip]", *photos]


def peak(command):
    """Seconds of processor time and MiB at the peak of a command on one core."""
    # By a small program of its own: a child of ours begins with our peak.
    with tempfile.NamedTemporaryFile("r") as told:
        run([need("time"), "-f", "%U %S %M", "-o", told.name, need("taskset"), "-c", "1", *command])
        user, system, kib = told.read().split()
    return float(user) + float(system), int(kib) / 1024


def thumbnails(bench):
    """One core, everything included."""
    rate = Contest(
        "thumbnail of a 12 MP JPEG, one core",
        "img/s",
        [Goal("Image Vault", "vipsthumbnail", at_least=1.0)],
        "Processor time of a process that does nothing else, its start included; ours inspects as well (format, EXIF, placeholder).",
    )
    memory = Contest("thumbnail of a 12 MP JPEG, peak memory", "MiB", [Goal("Image Vault", at_most=32)])
    ours = os.path.join(products.RELEASE, "examples", "thumbnails")
    photos = bench.photos[: 12 if bench.quick else 40]
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        commands = {"Image Vault": [ours, folder, *photos], "vipsthumbnail": vipsthumbnail(photos, folder)}

        def work(name):
            seconds, mib = peak(commands[name])
            memory.add(name, mib)
            return len(photos) / seconds

        rate.run(3 if bench.quick else 7, {name: lambda name=name: work(name) for name in commands})
    return [rate, memory]


def upload_to_vault(bench, store):
    with products.vault(bench, store) as server:
        requests = [server.upload_of(photo) for photo in bench.photos]
        return len(requests) / load.accepted(requests, AT_ONCE)


def upload_to_copyparty(bench, decoder):
    files = bench.folder("files")
    with products.copyparty(bench, files, decoder) as server:
        urls = [f"{server.base}/{os.path.basename(photo)}" for photo in bench.photos]
        puts = [{"url": url, "file": photo} for url, photo in zip(urls, bench.photos)]
        seconds = load.accepted(puts, AT_ONCE)
        seconds += load.accepted([{"url": f"{url}?th=j"} for url in urls], AT_ONCE)
    shutil.rmtree(files)
    return len(urls) / seconds


def vipsthumbnail_alone(bench):
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        half = (bench.photos[::2], bench.photos[1::2])
        with ThreadPoolExecutor() as pool:
            return len(bench.photos) / max(pool.map(timed, [vipsthumbnail(part, folder) for part in half]))


def age_and_zip(bench):
    """Seals each photograph, and makes a zip of what comes out: no thumbnails."""
    with tempfile.TemporaryDirectory(dir=bench.scratch) as folder:
        identity = os.path.join(folder, "key")
        run([need("age-keygen"), "-o", identity])
        public = run([need("age-keygen"), "-y", identity]).decode().strip()
        sealed = os.path.join(folder, "sealed")
        os.mkdir(sealed)
        seconds = timed(
            ["xargs", "-P", str(AT_ONCE), "-I{}", "sh", "-c", f'age -r {public} -o "{sealed}/$(basename {{}})" {{}}'],
            input="\n".join(bench.photos).encode(),
        )
        seconds += timed([need("zip"), "-0", "-q", "-r", os.path.join(folder, "all.zip"), sealed])
        seconds += timed(["sync", "-f", folder])
    return len(bench.photos) / seconds


def uploads(bench):
    """Until every thumbnail is ready."""
    contest = Contest(
        f"upload of {len(bench.photos)} photos, {AT_ONCE} at a time, with thumbnails",
        "img/s",
        [
            Goal("embedded", "vipsthumbnail alone", at_least=0.85),
            Goal("embedded", "copyparty, pyvips", at_least=1.4),
            Goal("embedded", "copyparty, Pillow", at_least=3),
            Goal("MongoDB", "vipsthumbnail alone", at_least=0.65),
        ],
        "Ours is sealed and synced at each 201; copyparty's thumbnails are asked for after the last upload; "
        "age and zip make none.",
    )
    contest.run(
        1 if bench.quick else 3,
        {
            "embedded": lambda: upload_to_vault(bench, "embedded"),
            "MongoDB": lambda: upload_to_vault(bench, "MongoDB"),
            "vipsthumbnail alone": lambda: vipsthumbnail_alone(bench),
            "copyparty, pyvips": lambda: upload_to_copyparty(bench, "vips"),
            "copyparty, Pillow": lambda: upload_to_copyparty(bench, "pil"),
            "age, zip": lambda: age_and_zip(bench),
        },
    )
    return [contest]


class Shelf:
    """All contenders with the photographs in them, running side by side."""

    def __init__(self, bench, stack):
        self.bench, self.vaults = bench, {}
        for store in products.STORES:
            server = stack.enter_context(products.vault(bench, store))
            load.accepted([server.upload_of(photo) for photo in bench.photos], AT_ONCE)
            self.vaults[store] = server
        self.files = bench.folder("files")
        stack.callback(shutil.rmtree, self.files)
        for photo in bench.photos:
            shutil.copy(photo, self.files)
        self.whole = os.path.join(bench.folder("whole"), "whole.bin")
        stack.callback(os.unlink, self.whole)
        with open(self.whole, "wb") as out:
            for photo in bench.photos:
                with open(photo, "rb") as source:
                    shutil.copyfileobj(source, out)
        start = {
            "nginx": lambda: products.nginx(bench, bench.scratch),
            "copyparty": lambda: products.copyparty(bench, self.files, "pil"),
            "dufs": lambda: products.dufs(bench, self.files),
        }
        self.others, self.missing = {}, {}
        for name, begin in start.items():
            try:
                self.others[name] = stack.enter_context(begin())
            except Missing as why:
                self.missing[name] = why

    def at_nginx(self, path):
        return f"{self.others['nginx'].base}/{os.path.relpath(path, self.bench.scratch)}"

    def contest(self, contest, rounds, contenders):
        """Runs those that are here, and names the others."""
        here = {**self.vaults, **self.others}
        for name, why in self.missing.items():
            if name in contenders:
                contest.skip(name, why)
        contest.run(rounds, {name: work for name, work in contenders.items() if name in here})
        return contest


def zips(shelf):
    """One file out of all: a zip, and what stands for the wall."""
    bench = shelf.bench
    rate = Contest(
        f"zip of {len(bench.photos)} photos, {bench.bytes / 1e6:.0f} MB",
        "MB/s",
        [Goal("embedded", "copyparty", at_least=1.1), Goal("embedded", "nginx", at_least=0.6)],
        "nginx sends one plain file of that size.",
    )
    first = Contest("first byte of that zip", "ms", [Goal(store, at_most=10) for store in shelf.vaults])
    memory = Contest("memory that one such zip adds", "MiB", [Goal(store, at_most=8) for store in shelf.vaults])

    def fetch(name, url, server, headers=()):
        before = server.rss()
        with ThreadPoolExecutor(1) as pool:
            running, most = pool.submit(load.download, url, headers), before
            while not running.done():
                most = max(most, server.rss())
                time.sleep(0.005)
            speed, waited = running.result()
        first.add(name, waited * 1000)
        memory.add(name, most - before)
        return speed / 1e6

    def of_vault(name):
        server = shelf.vaults[name]
        return fetch(name, server.archive(), server, server.headers)

    def of_other(name, url):
        return fetch(name, url(), shelf.others[name])

    shelf.contest(
        rate,
        3 if bench.quick else 9,
        {
            **{name: lambda name=name: of_vault(name) for name in shelf.vaults},
            "nginx": lambda: of_other("nginx", lambda: shelf.at_nginx(shelf.whole)),
            "copyparty": lambda: of_other("copyparty", lambda: f"{shelf.others['copyparty'].base}/?zip"),
            "dufs": lambda: of_other("dufs", lambda: f"{shelf.others['dufs'].base}/?zip"),
        },
    )
    return [rate, first, memory]


def originals(shelf):
    """One after the other, on one connection."""
    bench = shelf.bench
    contest = Contest("originals one after the other", "MB/s", [Goal("embedded", "nginx", at_least=0.6)])

    def of_vault(server):
        urls = [f"{server.base}/api/v1/images/{image}/original" for image in server.ids()]
        return rate([{"url": url, "headers": server.headers} for url in urls])

    def rate(requests):
        return bench.bytes / load.accepted(requests) / 1e6

    names = [os.path.basename(photo) for photo in bench.photos]
    plain = {
        "nginx": lambda: rate([{"url": shelf.at_nginx(f"{shelf.files}/{name}")} for name in names]),
        "copyparty": lambda: rate([{"url": f"{shelf.others['copyparty'].base}/{name}"} for name in names]),
        "dufs": lambda: rate([{"url": f"{shelf.others['dufs'].base}/{name}"} for name in names]),
    }
    ours = {name: lambda server=server: of_vault(server) for name, server in shelf.vaults.items()}
    return [shelf.contest(contest, 3 if bench.quick else 9, {**ours, **plain})]


def thumbnail_views(shelf):
    """Sixteen at once."""
    bench, clients, seconds = shelf.bench, 16, 2 if shelf.bench.quick else 4
    rate = Contest(
        f"thumbnails, {clients} clients",
        "/s",
        [Goal("embedded", "copyparty", at_least=2), Goal("embedded", "nginx", at_least=0.2)],
        "wrk on one thread; nginx sends plain files of thumbnails, dufs as well.",
    )
    late = Contest(f"thumbnails, {clients} clients, p95", "ms", [Goal("embedded", "copyparty", at_most=0.5)])
    small = bench.folder("thumbnails")
    names = [os.path.basename(photo) for photo in bench.photos]
    run([os.path.join(products.RELEASE, "examples", "thumbnails"), small, *bench.photos])

    def storm(name, base, paths, headers=()):
        speed, p95 = load.storm(base, paths, clients, seconds, headers)
        late.add(name, p95)
        return speed

    def of_vault(name):
        server = shelf.vaults[name]
        paths = [f"/api/v1/images/{image}/thumbnail" for image in server.ids()]
        return storm(name, server.base, paths, server.headers)

    def of_other(name, paths):
        return storm(name, shelf.others[name].base, paths)

    where = os.path.relpath(small, bench.scratch)
    for name in names:
        shutil.copy(os.path.join(small, name), os.path.join(shelf.files, f"small-{name}"))
    if "copyparty" in shelf.others:
        load.accepted([{"url": f"{shelf.others['copyparty'].base}/{name}?th=j"} for name in names], AT_ONCE)
    contenders = {
        **{name: lambda name=name: of_vault(name) for name in shelf.vaults},
        "nginx": lambda: of_other("nginx", [f"/{where}/{name}" for name in names]),
        "copyparty": lambda: of_other("copyparty", [f"/{name}?th=j" for name in names]),
        "dufs": lambda: of_other("dufs", [f"/small-{name}" for name in names]),
    }
    return [shelf.contest(rate, 3 if bench.quick else 7, contenders), late]


def views(bench):
    """Everything that is read of the same hundred photographs."""
    with ExitStack() as stack:
        shelf = Shelf(bench, stack)
        return [*zips(shelf), *originals(shelf), *thumbnail_views(shelf)]

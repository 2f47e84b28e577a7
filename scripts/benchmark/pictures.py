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
from processes import cpu_of_finished, need, run, timed

AT_ONCE = 4
SIDE = 400


def vipsthumbnail(photos, folder):
    return [need("vipsthumbnail"), "--size", f"{SIDE}x{SIDE}", "-o", f"{folder}/%s.jpg[Q=80,strip]", *photos]


def peak(command):
    """Seconds of processor time and MiB at the peak of a command on one core."""
    core = str(max(os.sched_getaffinity(0)))
    # Measured by a small program of its own: a child of this process would begin with this one's peak.
    with tempfile.NamedTemporaryFile("r") as told:
        run([need("time"), "-f", "%U %S %M", "-o", told.name, need("taskset"), "-c", core, *command])
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

        def work(name, command):
            seconds, mib = peak(command)
            memory.add(name, mib)
            return len(photos) / seconds

        contenders = {
            "Image Vault": lambda: work("Image Vault", [ours, folder, *photos]),
            "vipsthumbnail": lambda: work("vipsthumbnail", vipsthumbnail(photos, folder)),
        }
        rate.run(3 if bench.quick else 7, contenders)
    return [rate, memory]


def is_picture(line):
    return line == "200 image/jpeg"


def made_thumbnails(urls):
    """Seconds until copyparty has made a thumbnail of each; where it cannot, it answers with an icon."""
    seconds, lines = load.transfers([{"url": f"{url}?th=j"} for url in urls], AT_ONCE, "%{http_code} %{content_type}")
    if not all(map(is_picture, lines)):
        other = next(line for line in lines if not is_picture(line))
        raise Missing(f"its thumbnails are {other}")
    return seconds


class Uploads:
    """How fast photographs are stored, and the processor time of it."""

    def __init__(self, bench):
        self.bench = bench
        self.rate = Contest(
            f"upload of {len(bench.photos)} photos, {AT_ONCE} at a time, with thumbnails",
            "img/s",
            [
                Goal("embedded", "vipsthumbnail alone", at_least=0.85),
                Goal("embedded", "copyparty, pyvips", at_least=1.4),
                Goal("embedded", "copyparty, Pillow", at_least=3),
                Goal("MongoDB", "vipsthumbnail alone", at_least=0.65),
            ],
            "Ours is sealed and synced at each 201. copyparty syncs nothing, and its thumbnails are asked for after the last "
            "upload; vipsthumbnail reads files and writes thumbnails, no more; nginx takes files in, no more; age and zip "
            "make no thumbnails, and sync once at the end.",
        )
        self.work = Contest("processor time of each of them, a photo", "ms", note="Clients aside; mongod apart from our process.", alike=False)

    def done(self, name, seconds, spent):
        self.work.add(name, spent / len(self.bench.photos) * 1000)
        return len(self.bench.photos) / seconds

    def to_vault(self, store):
        with products.vault(self.bench, store) as server:
            requests = [server.upload_of(photo) for photo in self.bench.photos]
            ours, mongod = server.cpu(), self.bench.mongod_cpu()
            seconds = load.accepted(requests, AT_ONCE)
            if store != "embedded":
                self.done("mongod beside it", seconds, self.bench.mongod_cpu() - mongod)
            return self.done(store, seconds, server.cpu() - ours)

    def to_nginx(self):
        files = self.bench.folder("put")
        with products.nginx(self.bench, files) as server:
            spent = server.cpu()
            puts = [{"url": f"{server.base}/{os.path.basename(photo)}", "file": photo} for photo in self.bench.photos]
            rate = self.done("nginx, PUT", load.accepted(puts, AT_ONCE), server.cpu() - spent)
        shutil.rmtree(files)
        return rate

    def to_copyparty(self, decoder, name):
        files = self.bench.folder("files")
        with products.copyparty(self.bench, files, decoder) as server:
            spent = server.cpu()
            urls = [f"{server.base}/{os.path.basename(photo)}" for photo in self.bench.photos]
            puts = [{"url": url, "file": photo} for url, photo in zip(urls, self.bench.photos)]
            seconds = load.accepted(puts, AT_ONCE) + made_thumbnails(urls)
            rate = self.done(name, seconds, server.cpu() - spent)
        shutil.rmtree(files)
        return rate

    def vipsthumbnail_alone(self):
        with tempfile.TemporaryDirectory(dir=self.bench.scratch) as folder:
            half = [vipsthumbnail(part, folder) for part in (self.bench.photos[::2], self.bench.photos[1::2])]
            spent = cpu_of_finished()
            with ThreadPoolExecutor() as pool:
                seconds = max(pool.map(timed, half))
            return self.done("vipsthumbnail alone", seconds, cpu_of_finished() - spent)

    def age_and_zip(self):
        """Seals each photograph, and makes a zip of what comes out."""
        with tempfile.TemporaryDirectory(dir=self.bench.scratch) as folder:
            identity = os.path.join(folder, "key")
            run([need("age-keygen"), "-o", identity])
            public = run([need("age-keygen"), "-y", identity]).decode().strip()
            sealed = os.path.join(folder, "sealed")
            os.mkdir(sealed)
            spent = cpu_of_finished()
            seconds = timed(
                ["xargs", "-P", str(AT_ONCE), "-I{}", "sh", "-c", f'age -r {public} -o "{sealed}/$(basename {{}})" {{}}'],
                input="\n".join(self.bench.photos).encode(),
            )
            seconds += timed([need("zip"), "-0", "-q", "-r", os.path.join(folder, "all.zip"), sealed])
            seconds += timed(["sync", "-f", folder])
            return self.done("age, zip", seconds, cpu_of_finished() - spent)


def uploads(bench):
    """Until every thumbnail is ready."""
    these = Uploads(bench)
    these.rate.run(
        1 if bench.quick else 3,
        {
            "embedded": lambda: these.to_vault("embedded"),
            "MongoDB": lambda: these.to_vault("MongoDB"),
            "vipsthumbnail alone": these.vipsthumbnail_alone,
            "copyparty, pyvips": lambda: these.to_copyparty("vips", "copyparty, pyvips"),
            "copyparty, Pillow": lambda: these.to_copyparty("pil", "copyparty, Pillow"),
            "nginx, PUT": these.to_nginx,
            "age, zip": these.age_and_zip,
        },
    )
    return [these.rate, these.work]


class Shelf:
    """All contenders with the photographs in them, running side by side."""

    def __init__(self, bench, stack):
        self.bench, self.vaults = bench, {}
        for store in products.STORES:
            place = products.Place(bench, store)
            with place.start() as server:
                server.register()
                load.accepted([server.upload_of(photo) for photo in bench.photos], AT_ONCE)
            # The memory that uploading leaves is not to be measured here.
            server = stack.enter_context(place.start())
            server.sign_in()
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
        """Runs the contenders that are installed, and names the others."""
        here = {**self.vaults, **self.others}
        for name, why in self.missing.items():
            if name in contenders:
                contest.skip(name, why)
        contest.run(rounds, {name: work for name, work in contenders.items() if name in here})
        return contest


def zips(shelf):
    """All photographs as one file: a zip, and the upper bound for it."""
    bench = shelf.bench
    rate = Contest(
        f"zip of {len(bench.photos)} photos, {bench.bytes / 1e6:.0f} MB",
        "MB/s",
        [Goal("embedded", "copyparty", at_least=1.1), Goal("embedded", "nginx", at_least=0.6)],
        "nginx sends one plain file of that size.",
    )
    first = Contest("first byte of that zip", "ms", [Goal(store, at_most=10) for store in shelf.vaults])
    memory = Contest("memory that one such zip adds", "MiB", [Goal(store, at_most=8, worst=True) for store in shelf.vaults])

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
        try:
            made_thumbnails([f"{shelf.others['copyparty'].base}/{name}" for name in names])
        except Missing as why:
            shelf.missing["copyparty"] = why
            del shelf.others["copyparty"]
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

"""Bad input while others work: what must be refused is, and nothing is killed."""
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import load
import products
from contest import Contest, p, say

HUGE = 100 << 20


def flood(server, path):
    """64 uploads of 100 MiB at once; each answer's status."""
    requests = [{**server.upload_of(path), "url": f"{server.base}/api/v1/images?name={n}.jpg"} for n in range(64)]
    _, lines = load.transfers(requests, at_once=64)
    return lines


def slow_reader(server, url, seconds):
    """Takes a download at a kilobyte a second."""
    link = socket.create_connection(("127.0.0.1", server.port))
    path = url.removeprefix(server.base)
    head = [f"GET {path} HTTP/1.1", "Host: localhost", *server.headers, "", ""]
    link.sendall("\r\n".join(head).encode())
    until = time.monotonic() + seconds
    while time.monotonic() < until and link.recv(1024):
        time.sleep(1)
    link.close()


def all_at_once(bench):
    """Memory and patience of one process under 64 large uploads, 50 slow readers, 200 idle connections."""
    contest = Contest(
        "under siege: memory at most",
        "MiB",
        [],
        "64 uploads of one file of 100 MiB (the beginning of a photograph, then noise), 50 readers at 1 kB/s and 200 silent "
        "connections, at once, embedded store.",
    )
    late = Contest("calls of somebody else meanwhile, p95", "ms", [])
    junk = os.path.join(bench.folder("junk"), "junk.jpg")
    with open(bench.photos[0], "rb") as photo, open(junk, "wb") as out:
        # The beginning of a photograph, so that it is no easy refusal.
        out.write(photo.read(1 << 16))
        for _ in range(HUGE // (1 << 20) - 1):
            out.write(os.urandom(1 << 20))
    with products.vault(bench, "embedded") as server:
        load.accepted([server.upload_of(photo) for photo in bench.photos], 4)
        url = server.archive()
        call = [{"url": f"{server.base}/api/v1/session", "headers": server.headers}] * 200
        calm = p(load.times(call), 0.95) * 1000
        seconds = 5 if bench.quick else 20
        silent = load.idle(server.port, 200)
        readers = [threading.Thread(target=slow_reader, args=(server, url, seconds)) for _ in range(50)]
        for reader in readers:
            reader.start()
        most = server.rss()
        with ThreadPoolExecutor(1) as pool:
            flooding = pool.submit(flood, server, junk)
            times = []
            while not flooding.done():
                most = max(most, server.rss())
                times += load.times(call[:5])
                time.sleep(0.05)
            statuses = flooding.result()
        for reader in readers:
            reader.join()
        for link in silent:
            link.close()
        contest.add("embedded", most)
        late.add("meanwhile", p(times, 0.95) * 1000)
        late.add("before", calm)
        answers = ", ".join(f"{statuses.count(status)} × {status}" for status in sorted(set(statuses)))
        contest.note += f" The uploads were answered with {answers}."
        say(f"  answers: {answers}")
        server.call("GET", "/api/v1/session")
    return [contest, late]

"""Bad input while others work: it must be refused, and no process be killed."""
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import load
import products
from contest import Contest, Goal, p, say

HUGE = 100 << 20
UPLOADS, READERS, SILENT = 64, 50, 200
# One account may take half of the memory for uploads: it takes several to fill it.
SENDERS = 4


def huge_pictures(bench):
    """Files that begin as a photograph, so that none is an easy refusal, and that all end otherwise."""
    folder = bench.folder("huge")
    with open(bench.photos[0], "rb") as photo:
        beginning = photo.read()
    for number in range(UPLOADS):
        path = os.path.join(folder, f"{number}.jpg")
        with open(path, "wb") as out:
            out.write(beginning)
            out.truncate(HUGE - 1)  # takes no room on the disk
            out.seek(HUGE - 1)
            out.write(bytes([number]))
        yield path


def flood(server, tokens, paths):
    """Uploads all at once. Each must be stored, or refused with Retry-After; returns how many of each status."""
    requests = [server.upload_of(path) for path in paths]
    for number, request in enumerate(requests):
        request["headers"] = [f"Authorization: Bearer {tokens[number % SENDERS]}", "Content-Type: image/jpeg"]
    _, lines = load.transfers(requests, len(requests), "%{http_code} %header{retry-after}")
    answers = {}
    for line in lines:
        status, _, again = line.partition(" ")
        if status != "201" and not (status in ("429", "503") and again.strip()):
            raise RuntimeError(f"a large upload was answered with {line!r}")
        answers[status] = answers.get(status, 0) + 1
    return answers


def slow_reader(server, url, ended):
    """Reads a download at a kilobyte a second."""
    path = url.removeprefix(server.base)
    head = [f"GET {path} HTTP/1.1", "Host: localhost", *server.headers, "", ""]
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall("\r\n".join(head).encode())
        begin = link.recv(1024)
        if not begin.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a slow reader was answered with {begin[:40]!r}")
        while not ended.wait(1):
            link.recv(1024)


def all_at_once(bench, store):
    """Memory and patience of one process under large uploads, slow readers and idle connections."""
    contest = Contest(
        f"under siege: memory at most, {store}",
        "MiB",
        # Bodies being received take 512; a JPEG that is decoded, one for each core, is in memory twice; and
        # each reader has a window of pieces read ahead.
        [Goal(store, at_most=1280)],
        f"{UPLOADS} uploads of 100 MiB each by {SENDERS} people, {READERS} readers at 1 kB/s and {SILENT} silent connections, at once.",
    )
    late = Contest(f"calls of somebody else meanwhile, p95, {store}", "ms", base="meanwhile")
    paths = list(huge_pictures(bench))
    with products.vault(bench, store) as server, ExitStack() as stack:
        load.accepted([server.upload_of(photo) for photo in bench.photos], 4)
        url = server.archive()
        call = [{"url": f"{server.base}/api/v1/session", "headers": server.headers}] * 200
        late.add("before", p(load.times(call), 0.95) * 1000)
        tokens = []
        for number in range(SENDERS):
            server.register(f"sender{number}")
            tokens.append(server.token)
        server.sign_in()
        for link in load.idle(server.port, SILENT):
            stack.enter_context(link)
        pool = stack.enter_context(ThreadPoolExecutor(READERS + 1))
        ended = threading.Event()
        readers = [pool.submit(slow_reader, server, url, ended) for _ in range(READERS)]
        try:
            flooding = pool.submit(flood, server, tokens, paths)
            most, times = server.rss(), []
            while not flooding.done():
                most = max(most, server.rss())
                times += load.times(call[:5])
                time.sleep(0.05)
        finally:
            ended.set()
        answers = ", ".join(f"{count} × {status}" for status, count in sorted(flooding.result().items()))
        for reader in readers:
            reader.result()
        contest.add(store, most)
        late.add("meanwhile", p(times, 0.95) * 1000)
        contest.note += f" The uploads were answered with {answers}; each that was not stored was told when to come again."
        say(f"  answers: {answers}")
        server.call("GET", "/api/v1/session")
    return [contest, late]

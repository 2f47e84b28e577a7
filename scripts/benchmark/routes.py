"""Every main route under load: a hundred clients at once."""
import hashlib
import json
import os

import load
import products
from contest import Contest

CLIENTS = 100

# Requests of a browser or a program; `{id}` is a picture's.
READS = [
    "/health/ready",
    "/login",
    "/vault",
    "/vault/images/{id}",
    "/trash",
    "/account",
    "/account/security",
    "/account/sessions",
    "/account/tokens",
    "/account/export",
    "/api/v1/session",
    "/api/v1/sessions",
    "/api/v1/account/events",
    "/api/v1/account/factors",
    "/api/v1/account/tokens",
    "/api/v1/images?limit=100",
    "/api/v1/images?q=img&limit=100",
    "/api/v1/timeline",
    "/api/v1/images/{id}",
    "/api/v1/images/{id}/thumbnail",
    "/api/v1/images/{id}/preview",
    "/api/v1/images/{id}/original",
    "{zip}",
]
# Each of these hashes a password: tens of megabytes and a tenth of a second of one core, on purpose.
ENTERING = 20


def main_routes(bench):
    stores = products.STORES[:1] if bench.quick else products.STORES
    return [contest for store in stores for contest in of_store(bench, store)]


def of_store(bench, store):
    note = "Every one of them must succeed. One round. Reading is about one picture; a change is for a picture each."
    photos = bench.photos[:CLIENTS]
    reads = Contest(f"reading, {CLIENTS} clients, {store}", "/s", note=note, alike=False)
    late = Contest(f"reading, {CLIENTS} clients, p95, {store}", "ms", alike=False)
    writes = Contest(f"changing, {len(photos)} at once, {store}", "/s", note=note, alike=False)
    with products.vault(bench, store) as server:
        seconds = load.accepted([server.upload_of(photo) for photo in photos], len(photos))
        writes.add("POST /api/v1/images", len(photos) / seconds)
        ids = server.ids()
        load.accepted([{"url": f"{server.base}/api/v1/images/{ids[0]}/preview", "headers": server.headers}])
        cookie = server.cookie()
        zip_of_one = server.call("POST", "/api/v1/archives", {"ids": ids[:1]})["url"]
        for route in READS:
            path = route.format(id=ids[0], zip=zip_of_one)
            # The pages are for people, who have cookies once they have signed in.
            as_person = [] if path == "/login" else [f"Cookie: {cookie}"]
            headers = server.headers if path.startswith("/api") else as_person
            # Nothing but 2xx will do, while wrk takes a redirect as well.
            load.accepted([{"url": server.base + path, "headers": headers}])
            rate, p95 = load.storm(server.base, [path], CLIENTS, 1 if bench.quick else 2, headers)
            name = f"GET {route.format(id='{id}', zip='/api/v1/archives/{id}')}"
            reads.add(name, rate)
            late.add(name, p95)
        for route, bodies in changes(bench, ids).items():
            method, path = route.split()
            requests = [ask(bench, server, method, path, each) for each in bodies]
            writes.add(route, len(requests) / load.accepted(requests, len(requests)))
        for route, bodies in entering().items():
            method, path = route.split()
            requests = [ask(bench, server, method, path, (None, each)) for each in bodies]
            writes.add(f"{route}, {ENTERING} at once", ENTERING / load.accepted(requests, ENTERING))
    return [reads, late, writes]


def changes(bench, ids):
    """Bodies for each route that changes something, each with the picture it is about."""
    sums = []
    for photo in bench.photos[:CLIENTS]:
        with open(photo, "rb") as file:
            sums.append(hashlib.sha256(file.read()).hexdigest())
    of_each = [(one, {"ids": [one]}) for one in ids]
    return {
        "POST /api/v1/images/known": [(one, {"sha256": sums}) for one in ids],
        "PATCH /api/v1/images/{id}": [(one, {"caption": "At the sea"}) for one in ids],
        "POST /api/v1/images/favourite": [(one, {"ids": [one], "favourite": True}) for one in ids],
        "POST /api/v1/archives": of_each,
        "POST /api/v1/images/delete": of_each,
        "POST /api/v1/images/restore": of_each,
        "DELETE /api/v1/images/{id}?permanent=true": [(one, None) for one in ids],
    }


def entering():
    """Bodies for routes that take a password, each of another account."""
    people = [f"person{number}" for number in range(ENTERING)]
    new = [{"username": one, "email": f"{one}@example.org", "password": products.PASSWORD} for one in people]
    back = [{"login": one, "password": products.PASSWORD} for one in people]
    return {"POST /api/v1/accounts": new, "POST /api/v1/sessions": back}


def ask(bench, server, method, path, change):
    one, body = change
    request = {"url": server.base + path.format(id=one), "method": method, "headers": server.headers}
    if body is None:
        return request
    file = os.path.join(bench.folder("body"), "json")
    with open(file, "w") as out:
        json.dump(body, out)
    return {**request, "file": file, "headers": [*server.headers, "Content-Type: application/json"]}

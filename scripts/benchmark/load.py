"""Clients: curl for transfers, wrk for many at once."""
import json
import os
import socket
import tempfile
import time

from processes import need, run

QUIET = ["-sS", "--no-buffer", "-o", "/dev/null"]


def transfers(requests, at_once=1, show="%{http_code}"):
    """Sends the requests with one curl; returns the seconds for all, and a line about each.

    A request is {"url", "headers", "file"?, "method"?}; a file is its body.
    """
    blocks = []
    for request in requests:
        lines = [f'url = "{request["url"]}"', 'output = "/dev/null"', f'write-out = "{show}\\n"']
        lines += [f'header = "{header}"' for header in request.get("headers", [])]
        if "file" in request:
            lines += [f'upload-file = "{request["file"]}"', 'header = "Expect:"']
        if "method" in request:
            lines.append(f'request = "{request["method"]}"')
        blocks.append("\n".join(lines))
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as config:
        config.write("\nnext\n".join(blocks))
        config.flush()
        command = [need("curl"), "-sS", "-K", config.name]
        if at_once > 1:
            command += ["--parallel", "--parallel-immediate", "--parallel-max", str(at_once)]
        begun = time.perf_counter()
        lines = run(command).decode().splitlines()
        seconds = time.perf_counter() - begun
    if len(lines) != len(requests):
        raise RuntimeError(f"{len(lines)} answers to {len(requests)} requests")
    return seconds, lines


def accepted(requests, at_once=1):
    """Seconds for the requests, all of which must succeed."""
    seconds, lines = transfers(requests, at_once)
    refused = [line for line in lines if not line.startswith("2")]
    if refused:
        raise RuntimeError(f"{len(refused)} of {len(lines)} requests failed: {refused[0]}")
    return seconds


def times(requests):
    """Seconds from each request to its last byte, one after the other on one connection."""
    _, lines = transfers(requests, show="%{http_code} %{time_total}")
    seconds = []
    for line in lines:
        status, spent = line.split()
        if status != "200":
            raise RuntimeError(f"answered with {status}")
        seconds.append(float(spent))
    return seconds


def download(url, headers=()):
    """Fetches one file: bytes a second, and seconds to its first byte after the request was sent."""
    show = "%{http_code} %{size_download} %{time_pretransfer} %{time_starttransfer} %{time_total}"
    _, [line] = transfers([{"url": url, "headers": headers}], show=show)
    status, size, sent, first, total = line.split()
    if status != "200":
        raise RuntimeError(f"{url} answered with {status}")
    return float(size) / (float(total) - float(sent)), float(first) - float(sent)


SCRIPT = """
local paths, at = {}, 0
for line in io.lines(%s) do paths[#paths + 1] = line end
request = function() at = at %% #paths + 1; return wrk.format("GET", paths[at]) end
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('JSON{"requests":%%d,"us":%%d,"failed":%%d,"p95":%%f}\\n',
    summary.requests, summary.duration, failed, latency:percentile(95)))
end
"""


def storm(base, paths, clients, seconds, headers=()):
    """Many clients at once: requests a second, and the 95th percentile of their times in ms."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = os.path.join(folder, "paths"), os.path.join(folder, "script.lua")
        with open(listed, "w") as out:
            out.write("\n".join(paths))
        with open(script, "w") as out:
            out.write(SCRIPT % json.dumps(listed))
        command = [need("wrk"), "-t1", f"-c{clients}", f"-d{seconds}s", "-s", script]
        for header in headers:
            command += ["-H", header]
        text = run([*command, base]).decode()
    done = json.loads(text[text.index("JSON") + 4 :].splitlines()[0])
    if done["failed"] or not done["requests"]:
        raise RuntimeError(f"wrk: {done['failed']} of {done['requests']} requests failed")
    return done["requests"] / done["us"] * 1e6, done["p95"] / 1000


def idle(port, count):
    """Connections that send nothing. The caller closes them."""
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]

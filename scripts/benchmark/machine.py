"""The machine of the measurements, and its own limits."""
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import time

from contest import Contest
from processes import need, run
from products import TOP, dufs_program

PROGRAMS = {
    "Image Vault": ["git", "-C", TOP, "log", "-1", "--format=commit %h"],
    "nginx": ["nginx", "-v"],
    "vipsthumbnail": ["vipsthumbnail", "--version"],
    "zip": ["zip", "-v"],
    "age": ["age", "--version"],
    "openssl": ["openssl", "version"],
    "curl": ["curl", "--version"],
    "wrk": ["wrk", "-v"],
    "rustc": ["rustc", "--version"],
    "copyparty": [os.path.join(os.path.dirname(sys.executable), "copyparty"), "--version"],
}
LIBRARIES = ["pillow", "pyvips"]


def version(command):
    path = shutil.which(command[0]) or shutil.which(f"/usr/sbin/{command[0]}")
    if path is None:
        return "not installed"
    done = subprocess.run([path, *command[1:]], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    # Some programs print their licence first.
    return next((line for line in lines if re.search(r"\d", line) and not line.startswith("Copyright")), "?").strip()


def library(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def facts():
    """Lines about the machine and the programs."""
    with open("/proc/cpuinfo") as cpuinfo:
        model = re.search(r"model name\s*: (.*)", cpuinfo.read())
    with open("/proc/meminfo") as meminfo:
        memory = int(re.search(r"MemTotal:\s+(\d+)", meminfo.read())[1]) / (1 << 20)
    cores = os.cpu_count()
    lines = [f"{cores} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB, {platform.system()} {platform.release()}"]
    mongod = run([os.path.join(TOP, "scripts", "mongod"), "path"]).decode().strip()
    programs = {**PROGRAMS, "mongod": [mongod, "--version"], "dufs": [dufs_program() or "dufs", "--version"]}
    lines += [f"{name}: {version(command)}" for name, command in programs.items()]
    return lines + [f"{name}: {library(name)}" for name in LIBRARIES]


def floors(bench):
    """Upper bounds that no program on this machine can exceed."""
    note = (
        "openssl: AES-256-GCM in pieces of 64 KiB on one core; the disk: a file of 512 MiB, written and synced, read again."
    )
    contest = Contest("the machine", "MB/s", [], note, alike=False)
    path = os.path.join(bench.folder("disk"), "file")

    def cipher():
        text = run([need("openssl"), "speed", "-seconds", "1", "-bytes", "65536", "-evp", "aes-256-gcm"]).decode()
        return float(re.search(r"([\d.]+)k\s*$", text.strip())[1]) / 1000

    def write():
        piece, begun = os.urandom(1 << 20), time.perf_counter()
        with open(path, "wb") as out:
            for _ in range(512):
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        return 512 * 1.048576 / (time.perf_counter() - begun)

    def read():
        begun = time.perf_counter()
        with open(path, "rb", buffering=0) as source:
            while source.read(1 << 20):
                pass
        return 512 * 1.048576 / (time.perf_counter() - begun)

    contest.run(3, {"AES-256-GCM": cipher, "disk, written": write, "disk, read (cached)": read})
    os.unlink(path)
    return [contest]

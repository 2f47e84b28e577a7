"""Programs that are measured: started, waited for, observed, stopped."""
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

from contest import Missing

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


def need(program):
    """The program's path."""
    path = shutil.which(program)
    if path is None:
        raise Missing(f"{program} is not installed")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, **more):
    """Runs a command that must succeed; returns its output."""
    done = subprocess.run(command, capture_output=True, check=False, **more)
    if done.returncode != 0:
        errors = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {errors}")
    return done.stdout


def timed(command, **more):
    """Seconds that a command takes."""
    begun = time.perf_counter()
    run(command, **more)
    return time.perf_counter() - begun


def group(leader):
    """The processes of a group."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == leader:
                    found.append(int(entry))
            except ProcessLookupError:
                pass
    return found


def cpu(leader):
    """Seconds of processor time of a process group so far."""
    total = 0
    for pid in group(leader):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / TICKS


def cpu_of_finished():
    """Seconds of processor time of all commands that have ended so far."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


class Server:
    """A server of its own process group, on a port of its own."""

    def __init__(self, command, port, ready, log, env=None, cwd=None):
        self.port, self.base = port, f"http://127.0.0.1:{port}"
        begun = time.perf_counter()
        self._log = open(log, "wb")
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, env=env, cwd=cwd, start_new_session=True
        )
        self.pid = self._process.pid
        try:
            self._wait_for(ready, log)
        except BaseException:
            self.stop()
            raise
        self.ready_after = time.perf_counter() - begun

    def _wait_for(self, ready, log):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                with open(log, errors="replace") as text:
                    raise RuntimeError(f"a server ended while starting: {text.read()[-2000:]}")
            try:
                with urllib.request.urlopen(self.base + ready, timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.005)
        raise RuntimeError(f"no answer within 120 s: see {log}")

    def rss(self):
        """Resident memory in MiB."""
        total = 0
        for pid in group(self.pid):
            try:
                with open(f"/proc/{pid}/statm") as statm:
                    total += int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total / MIB

    def cpu(self):
        """Seconds of processor time so far."""
        return cpu(self.pid)

    def stop(self):
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self._process.wait()
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def reference(*arguments):
    """A server of another program, which ours is measured beside."""
    try:
        return Server(*arguments)
    except RuntimeError as error:
        raise Missing(str(error)) from error

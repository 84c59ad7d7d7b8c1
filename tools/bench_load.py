"""Load of the service: signed deliveries at a steady rate beside a working worker.

`python -m tools.bench --only service` calls it. Web, worker, forge and sender are processes of
their own on loopback; the check does nothing, so that what is measured is the service itself.
Deliveries are of 50 pull requests in five repositories. They are sent at their moments whether or
not earlier ones were answered; a latency is told from the moment that a delivery was due, so that a
service that falls behind cannot hide it, and from the moment that it was sent.
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.loopback import free_port
from tests.service import scene

ROOT = Path(__file__).resolve().parent.parent

REPOSITORIES = [f"team/repository-{number}" for number in range(5)]
PULLS = 10
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def check(request):
    """A check of nothing; named to the worker by the environment."""
    from service.model.job import CheckOutcome, State

    return CheckOutcome(State.SUCCESS, "nothing was looked at", request.head_sha)


def main():
    """Measure once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--database", help="a postgresql:// URL of an empty database")
    parser.add_argument("--send", nargs=2, metavar=("PORT", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--forge", metavar="FILE", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        send(int(given.send[0]), Path(given.send[1]), given.rate, given.seconds)
    elif given.forge:
        serve_forge(Path(given.forge))
    else:
        with tempfile.TemporaryDirectory(prefix="gen-env-load-") as folder:
            report(measure(Path(folder), given))


def report(found):
    """One table; the latencies in milliseconds."""
    print("| service | |\n| --- | ---: |")
    for name, value in found.items():
        print(f"| {name} | {value} |", flush=True)


def measure(folder, given):
    """Start everything, send, wait until the queue is empty; the rows of the table."""
    with contextlib.ExitStack() as stack:
        forge = stack.enter_context(_started(["--forge", folder / "forge"]))
        assert scene.wait_for(lambda: (folder / "forge").is_file() or forge.poll())
        port = free_port()
        config = _settings(folder, (folder / "forge").read_text(), port, given.database)
        roles = {}
        for role in ("web", "worker"):
            more = {"GEN_ENV_SERVICE_CHECK": "tools.bench_load:check"}
            roles[role] = scene.start(role, config, folder / "log", **more)
            stack.callback(scene.kill, roles[role], hard=False)
        if not scene.wait_for(scene.answers(port, "/readyz")):
            sys.exit((folder / "log").read_text()[-3000:])
        return _measured(folder, given, port, roles)


def _measured(folder, given, port, roles):
    peaks = _Peaks({name: process.pid for name, process in roles.items()})
    before = {name: _cpu(process.pid) for name, process in roles.items()}
    peaks.start()
    arguments = ["--send", str(port), folder / "sent", "--rate", str(given.rate)]
    with _started([*arguments, "--seconds", str(given.seconds)]) as sender:
        sender.wait()
    sent = json.loads((folder / "sent").read_text())
    used = {name: _cpu(process.pid) - before[name] for name, process in roles.items()}
    started = time.monotonic()
    if not scene.wait_for(lambda: _depth(port) == 0, 600, 0.2):
        sys.exit("the queue does not drain")
    drained = time.monotonic() - started
    peaks.done.set()
    peaks.join()
    total = given.rate * given.seconds
    times = sorted(sent["late"])
    answered = sorted(sent["took"])
    return {
        "asked for": f"{given.rate}/s for {given.seconds} s: {total:,} deliveries",
        "answered 202": f"{sent['accepted']:,} ({sent['accepted'] / sent['seconds']:.0f}/s)",
        "answered otherwise": f"{total - sent['accepted']:,} {sent['others'] or ''}".strip(),
        "202 since due: p50, p99, max": _milliseconds(times),
        "202 since sent: p50, p99, max": _milliseconds(answered),
        "queue drained after": f"{drained:.1f} s",
        **{f"{name}: CPU while sending": _cost(seconds, total) for name, seconds in used.items()},
        **{f"{name}: peak memory": f"{peak >> 20} MiB" for name, peak in peaks.found.items()},
        "load average": " ".join(f"{number:.1f}" for number in os.getloadavg()),
    }


def _cost(seconds, total):
    return f"{seconds:.1f} s: {seconds / total * 1000:.1f} ms a delivery"


def _milliseconds(times):
    if not times:
        return "-"
    places = (len(times) // 2, min(len(times) - 1, len(times) * 99 // 100), len(times) - 1)
    return ", ".join(f"{times[place] * 1000:.0f} ms" for place in places)


def _settings(folder, forge_url, port, database):
    path = scene.write_settings(folder, forge_url, port, database, leaseSeconds=10)
    settings = json.loads(path.read_text())
    settings["connections"][0]["repositories"] = REPOSITORIES
    path.write_text(json.dumps(settings))
    return path


@contextlib.contextmanager
def _started(arguments):
    """This file as another process, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.bench_load", *map(str, arguments)], cwd=ROOT
    )
    try:
        yield process
    finally:
        scene.kill(process)


def _depth(port):
    _, raw = scene.request(port, "GET", "/metrics")
    [line] = [line for line in raw.decode().splitlines() if line.startswith("gen_env_queue_depth ")]
    return float(line.split()[1])


def _family(pid):
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += _family(int(child))
    return found


def _cpu(pid):
    total = 0
    for one in _family(pid):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(words[11]) + int(words[12])
    return total / _TICKS


class _Peaks(threading.Thread):
    """The most memory that one process of each role held: those of git come and go."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids = pids
        self.done = threading.Event()
        self.found = dict.fromkeys(pids, 0)

    def run(self):
        while not self.done.wait(0.5):
            for name, pid in self.pids.items():
                self.found[name] = max(self.found[name], *map(_resident, _family(pid)))


def _resident(pid):
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def serve_forge(place):
    """The stand-in forge until it is killed; tells its address in a file."""
    with scene.forge() as forge:
        made = place.with_suffix(".new")
        made.write_text(forge.url)
        made.rename(place)
        threading.Event().wait()


def send(port, place, rate, seconds):
    """Send at the moments that the rate gives, from threads with kept connections."""
    bodies = [_body(number) for number in range(rate * seconds)]
    waiting = queue.SimpleQueue()
    answers = []
    threads = [
        threading.Thread(target=_sender, args=(port, waiting, answers), daemon=True)
        for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    start = time.perf_counter()
    for number, delivery in enumerate(bodies):
        due = start + number / rate
        if (ahead := due - time.perf_counter()) > 0:
            time.sleep(ahead)
        waiting.put((due, delivery))
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    fine = [answer for answer in answers if answer[0] == 202]
    others = {}
    for status, *_ in answers:
        if status != 202:
            others[str(status)] = others.get(str(status), 0) + 1
    found = {
        "accepted": len(fine),
        "seconds": took,
        "others": others,
        "late": [late for _, late, _ in fine],
        "took": [took for *_, took in fine],
    }
    place.write_text(json.dumps(found))


def _body(number):
    """Every pull request in turn, each time with another head."""
    repository = REPOSITORIES[number % len(REPOSITORIES)]
    pull = number // len(REPOSITORIES) % PULLS + 1
    head = hashlib.sha1(str(number).encode()).hexdigest()
    body = scene.pull_body(repository, pull, head, "synchronized")
    # What the forges send is far longer than what is read of it.
    body["pull_request"]["body"] = "x" * 8000
    return scene.signed(body, f"d{number}")


def _sender(port, waiting, answers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while (found := waiting.get()) is not None:
        due, (raw, headers) = found
        sent = time.perf_counter()
        try:
            connection.request("POST", "/webhooks/forge", raw, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            status = type(error).__name__
        now = time.perf_counter()
        answers.append((status, now - due, now - sent))
    connection.close()


if __name__ == "__main__":
    main()

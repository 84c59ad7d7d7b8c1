"""Programs as ordinary processes: started with a log of their own, awaited, ended by pid."""

import contextlib
import subprocess
import time


@contextlib.contextmanager
def running(arguments, log, *, folder=None, environ=None):
    """Run one program as long as the block does; its output goes to the file `log`."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            [str(item) for item in arguments], stdout=file, stderr=file, cwd=folder, env=environ
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process):
    """End it in good order, or kill it when it does not go."""
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def until(found, what, *, seconds=120, log=None):
    """The first true answer of `found`; fails with the end of the log when there is none."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            if answer := found():
                return answer
        time.sleep(0.2)
    tail = log.read_text("utf-8", "replace")[-2000:] if log else ""
    raise AssertionError(f"{what}: not within {seconds} s\n{tail}")

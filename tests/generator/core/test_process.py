import signal
import sys
import time
from pathlib import Path

import pytest

from generator.core import process as processes
from generator.core.process import CommandError


def python(script, **options):
    return processes.run([sys.executable, "-c", script], **options)


def test_what_a_process_leaves():
    done = python("import sys; print('out'); print('err', file=sys.stderr)", stdin=b"")
    assert (done.status, done.stdout, done.stderr) == (0, b"out\n", b"err\n")


def test_input_and_environment_and_folder(tmp_path):
    script = (
        "import os, sys; env = os.environ;"
        "print(sys.stdin.read(), env.get('A'), env.get('HOME'), os.getcwd())"
    )
    done = python(script, stdin=b"in", env={"A": "1"}, cwd=tmp_path)
    assert done.stdout.decode().split() == ["in", "1", "None", str(tmp_path)]


def test_failure_is_an_error_with_its_last_words():
    with pytest.raises(CommandError) as raised:
        python("import sys; sys.exit('it went wrong')")
    assert "it went wrong" in raised.value.message and raised.value.status == 1
    assert python("import sys; sys.exit(3)", check=False).status == 3


def test_arguments_and_environment_never_reach_the_message():
    with pytest.raises(CommandError) as raised:
        processes.run(
            [sys.executable, "-c", "import sys; sys.exit(1)", "canary-77"], env={"P": "canary-77"}
        )
    assert "canary-77" not in raised.value.message + raised.value.hint


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="cannot start no-such-program"):
        processes.run(["no-such-program"])


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.thorough
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc, as Linux has it")
def test_time_runs_out_for_the_whole_group(tmp_path):
    script = f"sleep 300 & echo $! > {tmp_path / 'pid'}; wait"
    begin = time.monotonic()
    with pytest.raises(CommandError, match="did not finish within 2 s"):
        processes.run(["/bin/sh", "-c", script], timeout=2)
    assert time.monotonic() - begin < 120
    pid = int((tmp_path / "pid").read_text())
    while running(pid) and time.monotonic() - begin < 120:
        time.sleep(0.01)
    assert not running(pid)


def ended(script):
    """How a shell ends that is told to while it waits for what it started."""
    process = processes.start(["/bin/sh", "-c", f"{script}; sleep 300 & echo ready; wait"])
    assert process.stdout.readline() == b"ready\n"
    processes.end_group(process)
    return process.returncode


def test_a_process_is_asked_to_end_before_it_is_killed(tmp_path):
    assert ended(f"trap 'touch {tmp_path / 'tidy'}; exit 3' TERM") == 3
    assert (tmp_path / "tidy").exists()


def test_a_process_that_does_not_listen_is_killed(monkeypatch):
    monkeypatch.setattr(processes, "_GRACE", 0.05)
    assert ended("trap '' TERM") == -signal.SIGKILL


def test_a_process_that_stays_answers_and_ends_with_its_input():
    script = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
    process = processes.start([sys.executable, "-c", script], env={"A": "1"})
    for word in (b"one\n", b"two\n"):
        process.stdin.write(word)
        process.stdin.flush()
        assert process.stdout.readline() == word.upper()
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    process.stdout.close()
    with pytest.raises(CommandError, match="cannot start no-such-program"):
        processes.start(["no-such-program"])

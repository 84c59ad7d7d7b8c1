import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generator.core.errors import UserError
from generator.render import death
from generator.render.engine import BinaryEngine, SdkEngine
from generator.render.request import RenderFailure, RenderResult
from generator.render.worker import Limits
from generator.render.workers import Workers, site_folder
from tests.generator.chart.samples import write
from tests.generator.render.samples import names, request


def fake_helm(folder: Path, body: str, version: str = "v4.9.9") -> Path:
    """A stand-in for the helm binary: Python whose `argv` are Helm's arguments."""
    path = folder / "helm"
    path.write_text(
        f"#!{sys.executable} -I\nimport os, sys, json, time, signal\nargv = sys.argv[1:]\n"
        f"if argv[0] == 'version':\n    print({version!r})\n    raise SystemExit\n{body}\n"
    )
    path.chmod(0o755)
    return path


REPORT = """
report = {"argv": argv, "env": dict(os.environ), "cwd": os.listdir(".")}
report["mode"] = oct(os.stat(argv[argv.index("--values") + 1]).st_mode & 0o777)
print("---\\n# Source: airflow/templates/x.yaml")
print(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "r"}, "d": report}))
"""


def report(tmp_path, **values):
    engine = BinaryEngine(fake_helm(tmp_path, REPORT))
    return engine.render(request(write(tmp_path), values)).manifests[0]["d"]


def test_a_binary_gets_values_in_a_private_file_and_never_as_arguments(tmp_path):
    found = report(tmp_path, secret="c4nary")
    assert "c4nary" not in str(found["argv"]) + str(found["env"])
    assert found["mode"] == "0o600"


@pytest.mark.parametrize("version", ["v4.9.9", "v3.19", "v4.0.0-rc.1+g1a2b"])
def test_helm_says_its_version_in_several_forms(tmp_path, version):
    engine = BinaryEngine(fake_helm(tmp_path, REPORT, version))
    assert engine.engine_version() == f"helm {version}"


def test_a_child_gets_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "c4nary")
    monkeypatch.setenv("KUBECONFIG", "/home/ann/.kube/config")
    monkeypatch.setenv("HELM_PLUGINS", "/home/ann/plugins")
    found = report(tmp_path)
    assert "c4nary" not in str(found)
    assert "/home/ann" not in str(found["env"])
    assert not Path(found["env"]["HOME"]).exists()


def test_the_scratch_folder_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    assert isinstance(SdkEngine().render(request(write(tmp_path))), RenderResult)
    BinaryEngine(fake_helm(tmp_path, "sys.exit(1)")).render(request(write(tmp_path)))
    assert list((tmp_path / "scratch").iterdir()) == []


OUT_OF_MEMORY = """
try:
    bytearray(900 << 20)
except MemoryError:
    sys.stderr.write("fatal error: runtime: out of memory\\n" + "c4nary" * 9999)
    sys.exit(2)
"""


def end_of_a_binary(tmp_path, body, *, timeout=30.0):
    limits = Limits(timeout=timeout, memory=256 << 20, output=1 << 20)
    engine = BinaryEngine(fake_helm(tmp_path, body), limits=limits)
    failure = engine.render(request(write(tmp_path), {"x": "c4nary"}))
    assert isinstance(failure, RenderFailure)
    assert "c4nary" not in repr(failure)
    return failure.kind, failure.message


def test_a_binary_that_does_not_end_is_stopped(tmp_path):
    assert end_of_a_binary(tmp_path, "time.sleep(60)", timeout=1) == (
        "limit",
        "Helm did not finish within 1 s and was stopped",
    )


def says(text):
    return f"sys.stderr.write({text!r}); sys.exit(2)"


@pytest.mark.few(5)
@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "engine", "ended abnormally (signal 9)"),
        ("os.abort()", "engine", "ended abnormally (signal 6)"),
        (says("panic: c4nary"), "engine", "ended abnormally"),
        (says("panic: x\n[signal SIGSEGV: segmentation violation]"), "engine", "abnormally"),
        (says("panic: value `fatal error: out of memory`"), "engine", "ended abnormally"),
        ("sys.exit(1)", "template", ""),
        (OUT_OF_MEMORY, "limit", "256 MiB of memory"),
        (says("fatal error: out of memory c4nary"), "limit", "256 MiB of memory"),
        (says("SIGSEGV: segmentation violation\nPC=0x7f4"), "limit", "256 MiB of memory"),
        (says("runtime/cgo: pthread_create failed: c4nary"), "limit", "start another thread"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "limit", "60 s of processor time"),
        (says("SIGXCPU: cpu limit exceeded\nPC=0x7f4"), "limit", "60 s of processor time"),
        ("print('x' * 2_000_000)", "limit", "larger than 1 MiB"),
    ],
)
def test_however_a_binary_ends_the_failure_says_so(tmp_path, body, kind, words):
    failure = end_of_a_binary(tmp_path, body)
    assert (failure[0], words in failure[1]) == (kind, True)


def test_processor_time_is_bounded_as_well(tmp_path):
    limits = Limits(timeout=30)
    body = "import resource; limit = resource.getrlimit(resource.RLIMIT_CPU)[0]\n"
    body += "sys.stderr.write(f'soft {limit}'); sys.exit(1)"
    engine = BinaryEngine(fake_helm(tmp_path, body), limits=limits)
    assert engine.render(request(write(tmp_path))).message == f"soft {limits.cpu}"


def test_a_kill_for_lack_of_memory_on_the_machine_is_told_from_any_other(tmp_path, monkeypatch):
    counters = tmp_path / "vmstat"
    counters.write_text("pgfault 1\noom_kill 3\n")
    monkeypatch.setattr(death, "_VMSTAT", counters)
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    assert end_of_a_binary(tmp_path, kill)[0] == "engine"
    more = f"open({str(counters)!r}, 'w').write('oom_kill 4\\n')\n"
    assert end_of_a_binary(tmp_path, more + kill) == (
        "limit",
        "Helm was killed for lack of memory on this machine or in this container",
    )


@pytest.mark.thorough
def test_what_a_binary_started_is_stopped_with_it(tmp_path):
    marker = tmp_path / "alive"
    body = (
        "import subprocess\n"
        f"subprocess.Popen(['/bin/sh', '-c', 'sleep 2; echo x > {marker}'])\ntime.sleep(60)"
    )
    engine = BinaryEngine(fake_helm(tmp_path, body), limits=Limits(timeout=1))
    assert engine.render(request(write(tmp_path))).kind == "limit"
    time.sleep(1.5)
    assert not marker.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(PR_SET_PDEATHSIG) is Linux's")
def test_a_child_does_not_outlive_its_parent(tmp_path):
    pid_file = tmp_path / "pid"
    helm = fake_helm(
        tmp_path, f"open({str(pid_file)!r}, 'w').write(str(os.getppid()))\ntime.sleep(60)"
    )
    program = (
        "import sys; from pathlib import Path\n"
        "from generator.render.engine import BinaryEngine\n"
        "from tests.generator.render.samples import request\n"
        f"BinaryEngine(Path({str(helm)!r})).render(request(Path({str(write(tmp_path))!r})))\n"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen([sys.executable, "-c", program], cwd=root) as parent:
        _wait(pid_file.exists)
        parent.kill()
    _wait(lambda: not _alive(int(pid_file.read_text())))


def _wait(condition, seconds=20.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def _alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_worker_that_cannot_start_its_job_is_an_answer():
    job = {"engine": "sdk", "chart": "/none.tgz", "values": "{}", "options": {}, "crds": False}
    workers = Workers(Limits(), site_folder("helm_python"))
    assert workers.run({**job, "notes": ""}).kind == "helm"
    assert workers.run({"engine": "binary"}).kind == "died"


def test_memory_is_bounded_by_what_is_used_not_by_what_go_reserves(tmp_path):
    outcome = SdkEngine(limits=Limits(memory=200 << 20)).render(request(write(tmp_path)))
    assert isinstance(outcome, RenderResult)


def test_nothing_is_inherited_from_the_folder_we_stand_in(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(9)\n")
    (tmp_path / "helm_python.py").write_text("raise SystemExit(9)\n")
    path = write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert isinstance(SdkEngine().render(request(Path(path.name))), RenderResult)


def test_a_machine_without_the_library_is_told_what_to_do():
    with pytest.raises(UserError, match="nowhere_to_be_found is not installed") as caught:
        site_folder("nowhere_to_be_found")
    assert "helm binary" in caught.value.hint


def test_the_library_never_enters_this_process(tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from generator.render.engine import SdkEngine\n"
        "from tests.generator.render.samples import request\n"
        f"r = SdkEngine().render(request(Path({str(write(tmp_path))!r})))\n"
        "assert len(r.manifests) == 4, r\n"
        "assert not [m for m in sys.modules if m.startswith('helm_python')]\n"
    )
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, check=True)


def test_a_request_that_cannot_be_json_is_our_bug_not_a_failure(tmp_path):
    with pytest.raises(TypeError):
        SdkEngine().render(request(write(tmp_path), {"x": object()}))
    assert names(SdkEngine().render(request(write(tmp_path))))

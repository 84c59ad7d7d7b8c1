"""A package index on loopback (PEP 691 with the upload times of PEP 700), and wheels for it."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import threading
import zipfile

_KIND = "application/vnd.pypi.simple.v1+json"


def wheel(name, version, modules, requires=(), extras=()):
    """A pure wheel with these modules (path → text), the same bytes every time."""
    project = name.replace("-", "_")
    info = f"{project}-{version}.dist-info"
    lines = [f"Requires-Dist: {item}" for item in requires]
    lines += [f"Provides-Extra: {item}" for item in extras]
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
    files = {
        **modules,
        f"{info}/METADATA": "\n".join(head) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_hash(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{project}-{version}-py3-none-any.whl", packed.getvalue()


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Index:
    """What an index offers; `password` is that of user `ci` where it asks for one."""

    def __init__(self, password=""):
        self.password, self.files, self.refused = password, {}, 0

    def add(self, name, version, modules=None, uploaded="2026-05-01", **about):
        file, data = wheel(name, version, modules or {}, **about)
        self.files[file] = (name, data, f"{uploaded}T00:00:00Z")

    def page(self, project):
        files = [
            {
                "filename": file,
                "url": f"/files/{file}",
                "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
                "upload-time": uploaded,
                "size": len(data),
            }
            for file, (name, data, uploaded) in self.files.items()
            if name == project
        ]
        versions = sorted({file.split("-")[1] for file in self.files})
        meta = {"api-version": "1.1"}
        shape = {"meta": meta, "name": project, "versions": versions, "files": files}
        return json.dumps(shape).encode() if files else None

    @contextlib.contextmanager
    def serving(self):
        """The address of the index while it runs."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(index):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = "Basic " + base64.b64encode(f"ci:{index.password}".encode()).decode()
            if index.password and self.headers.get("Authorization") != wanted:
                index.refused += 1
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            kind, _, name = self.path.strip("/").partition("/")
            body = index.page(name) if kind == "simple" else index.files.get(name, ("", None))[1]
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", _KIND if kind == "simple" else "application/zip")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    return Handler


COMPONENTS = {
    "airflow/__init__.py": "",
    "airflow/jobs/__init__.py": "",
    "airflow/jobs/scheduler_job_runner.py": "",
    "airflow/jobs/triggerer_job_runner.py": "",
    "airflow/dag_processing/__init__.py": "",
    "airflow/dag_processing/manager.py": "",
    "airflow/dag_processing/dagbag.py": """\
import pathlib, runpy, traceback

class DagBag:
    def __init__(self, dag_folder, include_examples):
        self.dags, self.import_errors = {}, {}
        for path in sorted(pathlib.Path(dag_folder).rglob("*.py")):
            try:
                runpy.run_path(str(path))
                self.dags[path.stem] = path
            except Exception:
                self.import_errors[str(path)] = traceback.format_exc()
""",
    "airflow/api_fastapi/__init__.py": "",
    "airflow/api_fastapi/app.py": "",
    "airflow/api_fastapi/execution_api/__init__.py": "",
    "airflow/api_fastapi/execution_api/routes/__init__.py": "",
    "airflow/api_fastapi/core_api/__init__.py": "",
    "airflow/api_fastapi/core_api/routes/__init__.py": "",
    "airflow/api_fastapi/core_api/routes/public/__init__.py": "",
    "airflow/sdk/__init__.py": "",
    "airflow/sdk/execution_time/__init__.py": "",
    "airflow/sdk/execution_time/supervisor.py": "",
}
"""What `image check` imports of Airflow 3, each empty."""


def with_airflow(index, broken=None, fab="3.6.4", floor="3.0.0"):
    """Add an Airflow 3.2.2 of nothing but names, with its extras and their packages."""
    extras = ("fab", "postgres", "statsd", "celery")
    prefix = "apache-airflow-providers-"
    index.add(
        "apache-airflow",
        "3.2.2",
        {**COMPONENTS, **(broken or {})},
        requires=(
            "packaging",
            f'{prefix}fab>={floor}; extra == "fab"',
            f'{prefix}postgres; extra == "postgres"',
            'statsd; extra == "statsd"',
        ),
        extras=extras,
    )
    index.add(f"{prefix}fab", fab)
    index.add(f"{prefix}postgres", "6.1.0")
    index.add("statsd", "4.0.1")

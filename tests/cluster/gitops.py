"""A GitOps repository that Argo CD or Flux really reads, and `gen-env` at work in it."""

import contextlib
import dataclasses
import json
import subprocess

from generator.actions import verify as verify_action
from generator.cluster import Cluster
from generator.verify.watch import utc_now, watch
from generator.yaml.manifests import load_manifests
from generator.yaml.writer import dump
from tests import repositories
from tests.fakes import chart_server, git_server

ENVIRONMENT = "staging"
BARE = "airflow.git"
DEFINITION = f"environments/{ENVIRONMENT}/environment.yaml"
FLUX_ENVIRONMENT = "flux"
"""Another name, so that both engines can be at work in one cluster."""
APPLICATION = f"/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/airflow-{ENVIRONMENT}"
_ROOTS = {"argocd": "bootstrap/root.yaml", "flux": "bootstrap/flux/main.yaml"}
_TIMEOUT = 180.0


class GitOps:
    """One environment on its way from a definition to a cluster."""

    def __init__(self, repo, plane, kubeconfig, environment, certificate):
        self.repo = repo
        self._certificate = certificate
        self.environment = environment
        self._plane = plane
        self._kubeconfig = kubeconfig
        self._definition = f"environments/{environment}/environment.yaml"
        self.base = repo.read(self._definition)

    def merge(self, text, message="Change"):
        """Make this the definition, generate, push; gives the commit (the present one if same)."""
        self.repo.write(self._definition, text)
        done = self.repo.run("generate", self.environment)
        assert done.code == 0, done.said
        if self.repo.git("status", "--porcelain"):
            self.repo.commit(message)
            self.repo.git("push", "--quiet", "origin", "main")
        return self.repo.git("rev-parse", "HEAD")

    def seal(self):
        """Put a value into every secret that has none yet."""
        _seal(self.repo, self.environment, self._certificate)

    def subject(self, revision):
        """What that commit promises, and the rights that proving it needs."""
        return verify_action.subject(
            self.repo.root, verify_action.Options(self.environment, revision, _TIMEOUT)
        )

    def verify(self, revision, *, timeout=_TIMEOUT, kubeconfig=None, **changes):
        """The verdict of `gen-env verify` on it, with windows that are short enough for a test.

        Airflow itself is played.
        """
        cluster = Cluster.connect("plane", kubeconfig=str(kubeconfig or self._kubeconfig))
        try:
            windows = {"settle_seconds": 3.0, "failure_seconds": 4.0, **changes}
            expected = dataclasses.replace(self.subject(revision).expected, **windows)
            return watch(cluster, expected, timeout=timeout, get=_airflow)
        finally:
            cluster.close()

    def end_sync(self):
        """End the running sync, as `argocd app terminate-op` does."""
        self._plane.merge_patch(
            APPLICATION, {"status": {"operationState": {"phase": "Terminating"}}}
        )

    def operation(self):
        """The phase of the present operation, and the revisions that it syncs."""
        found = self._plane.get(APPLICATION) or {}
        state = found.get("status", {}).get("operationState", {})
        asked = state.get("operation", {}).get("sync", {})
        return state.get("phase"), state.get("syncResult", asked).get("revisions", [])


def _airflow(url):
    now = utc_now().isoformat()
    jobs = ("scheduler", "triggerer", "dag_processor")
    document = {name: {"status": "healthy", f"latest_{name}_heartbeat": now} for name in jobs}
    return 200, json.dumps({"metadatabase": {"status": "healthy"}, **document}).encode()


@contextlib.contextmanager
def served(plane, folder, archive, certificate, run, engine="argocd"):
    """`gen-env init` and `new`, sealed and pushed, its root objects applied as a person does.

    `run` wraps what the commands need of their surroundings, as a context manager.
    """
    (folder / "git").mkdir()
    with (
        git_server.serving(folder / "git") as git,
        chart_server.serving() as charts,
        run(),
    ):
        charts.answers |= _chart_repository(charts.url, archive)
        repo = _initialised(folder, git.url, charts.url, archive, engine)
        environment = FLUX_ENVIRONMENT if engine == "flux" else ENVIRONMENT
        _new(repo, environment, certificate)
        _published(repo, folder / "git" / BARE)
        for manifest in load_manifests((repo.root / _ROOTS[engine]).read_bytes()):
            plane.apply(manifest)
        yield GitOps(repo, plane, folder / "kubeconfig", environment, certificate)


def _chart_repository(url, archive):
    entry = {"apiVersion": "v2", "name": "airflow", "version": "1.22.0"}
    entry["urls"] = [f"{url}/{archive.name}"]
    index = {"apiVersion": "v1", "entries": {"airflow": [entry]}}
    return {"/index.yaml": dump(index).encode(), f"/{archive.name}": archive.read_bytes()}


def _initialised(folder, git, charts, archive, engine):
    repo = repositories.Repo(folder / "work")
    url = f"{git}/{BARE}"
    done = repositories.run("init", repo.root, "--url", url, "--forge", "gitea", "--engine", engine)
    assert done.code == 0, done.said
    if engine == "flux":
        repo.edit("gen-env.yaml", "flux:\n", "flux:\n  root: own\n")
    repo.edit("gen-env.yaml", "  source: repository ", f"  url: {charts}\n  source: repository ")
    repo.commit("Name the chart repository")
    assert repositories.run("chart", "add", archive).code == 0
    return repo


def _new(repo, environment, certificate):
    """The environment, on main, with every value sealed for this cluster."""
    fields = ("database.host=pg.example.com", "dags.image={}", "ingress.host=airflow.example.com")
    sets = [part for field in fields for part in ("--set", field)]
    done = repo.run("new", environment, "--tier", "staging", "--no-input", *sets)
    assert done.code == 0, done.said
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--ff-only", f"new/{environment}")
    _seal(repo, environment, certificate)
    repo.commit("Seal")


def _seal(repo, environment, certificate):
    done = repo.run("seal", environment, "--generate", "--cert", certificate)
    assert done.code == 0, done.said
    for file in sorted((repo.root / f"environments/{environment}/secrets").glob("*.yaml")):
        (manifest,) = load_manifests(file.read_bytes())
        empty = [key for key, value in manifest["spec"]["encryptedData"].items() if not value]
        if empty:
            values = [f"{key}=x" for key in empty]
            done = repo.run("seal", environment, file.stem, *values, "--cert", certificate)
            assert done.code == 0, done.said


def _published(repo, bare):
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare], check=True)
    repo.git("remote", "add", "origin", str(bare))
    repo.git("push", "--quiet", "origin", "main")

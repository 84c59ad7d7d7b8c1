"""Every environment variable of gen-env's own, and whether the code and this list agree."""

import ast
import re
from pathlib import Path

from tools.table import table

ROOT = Path(__file__).resolve().parent.parent
_NAME = re.compile(r"(?<!_)GEN_ENV_[A-Z]+(?:_[A-Z]+)*")
_SERVICE = "GEN_ENV_SERVICE_"

COMMAND = {
    "GEN_ENV_CHART_CACHE": "folder of chart archives; by default gen-env/charts below"
    " `XDG_CACHE_HOME`, else below ~/.cache",
    "GEN_ENV_RENDER_CACHE": "folder of renders; by default gen-env/renders beside the charts",
    "GEN_ENV_OFFLINE": "any value: no chart is fetched, and `doctor` asks nobody",
    "GEN_ENV_HELM": "the `helm` program to use; by default `helm` on PATH",
    "GEN_ENV_CRDS": "folder with CustomResourceDefinitions, in place of `crds` in gen-env.yaml",
    "GEN_ENV_WHOLE_CHARTS": "any value: Helm gets each chart as it was released, and no render is"
    " taken from the cache; slower",
    "GEN_ENV_FORGE_TOKEN": "token for the forge's API; before GH_TOKEN and GITHUB_TOKEN,"
    " GITLAB_TOKEN, FORGEJO_TOKEN and GITEA_TOKEN",
    "GEN_ENV_FORGE_CA": "file with certificates (PEM) to trust for the forge",
    "GEN_ENV_GITHUB_APP_ID": "id of a GitHub App, in place of a token",
    "GEN_ENV_GITHUB_APP_KEY_FILE": "file with the private key (PEM) of that App",
    "GEN_ENV_GITHUB_INSTALLATION_ID": "installation of that App; by default the repository's own",
}
TEMPLATES = {
    "GEN_ENV_ACCEPT": "rules of impacts that a manual pipeline accepts, separated by spaces",
    "GEN_ENV_FOLDER": "folder of gen-env.yaml; the component's input `folder`",
    "GEN_ENV_INSTALL": "what pip installs first; the component's input `install`",
}
SERVICE = {
    "GEN_ENV_SERVICE_CONFIG": "the settings file, in place of `--config`",
    "GEN_ENV_SERVICE_DATA_DIR": "wins over `dataDir` of the settings",
    "GEN_ENV_SERVICE_LISTEN": "wins over `listen`",
    "GEN_ENV_SERVICE_PUBLIC_URL": "wins over `publicUrl`",
    "GEN_ENV_SERVICE_DATABASE_URL": "wins over `database`",
    "GEN_ENV_SERVICE_API_TOKEN": "wins over `apiToken`",
}
# A prefix, and names between the service's own processes, for its tests and for shells.
_INTERNAL = {
    "GEN_ENV_SERVICE",
    "GEN_ENV_SERVICE_EXECUTOR",
    "GEN_ENV_SERVICE_CHECK",
    "GEN_ENV_COMPLETE",
}


def command():
    """A table of the variables of `gen-env`, after the code was held against the whole list."""
    _hold()
    return _table(COMMAND)


def templates():
    """A table of the variables of the CI templates."""
    return _table(TEMPLATES)


def service():
    """A table of the variables of `gen-env-service`."""
    return _table(SERVICE)


def _table(rows):
    return table(("variable", "meaning"), ((f"`{name}`", text) for name, text in rows.items()))


def _hold():
    """Exit where the code knows a variable that is not listed, or none that is."""
    listed = {*COMMAND, *TEMPLATES, *SERVICE}
    known = {*_in_code(), *_of_settings(), *_in_templates()} - _INTERNAL
    if known != listed:
        raise SystemExit(f"tools/variables.py: differs from the code: {sorted(known ^ listed)}")


def _in_code():
    for package in ("generator", "service"):
        for path in ROOT.joinpath(package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield from _NAME.findall(node.value.replace("_GEN_ENV", "GEN_ENV"))


def _in_templates():
    for path in ROOT.joinpath("templates").rglob("*.yml"):
        yield from _NAME.findall(path.read_text("utf-8"))


def _of_settings():
    from service.settings import resolve

    yield from (f"{_SERVICE}{name}" for name in (*resolve._OVERRIDES, *resolve._SECRETS))

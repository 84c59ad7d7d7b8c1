"""Valid definitions at random: a strategy for each model, read off its fields.

Field types decide what is written; what models check over several fields is in `_TOGETHER`.
"""

import types
import typing

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from generator.model import base, components, environment, stores
from generator.model.auth import Auth, Oidc
from generator.model.dags import Bundle, Dags, DagVolume, GitSync
from generator.model.network import Peer
from generator.model.secrets import Secrets
from generator.model.suppression import Suppression
from generator.model.telemetry import Logging, RemoteLogging

_WORDS = st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True)
_AWKWARD = (
    *("y", "no", "null", "~", "1234e5", "0o17", "0815", "1_000", "3.10", "12:30", "2026-01-01"),
    *("{{ ti.x }}", "{{`", "a: b", "- x", "# no", "'", '"', "\\", "%", "@x", "&a", "*a", "ü", "🚀"),
)
_LINES = st.one_of(_WORDS, st.sampled_from(_AWKWARD))
_NUMBERS = st.integers(min_value=1, max_value=200)
_SCALARS = {
    base.Int: st.integers(min_value=0, max_value=50),
    base.Count: st.integers(min_value=0, max_value=50),
    base.Positive: _NUMBERS,
    base.Seconds: st.integers(min_value=0, max_value=7200),
    base.Port: st.integers(min_value=1, max_value=65_535),
    base.Bool: st.booleans(),
    base.Text: st.one_of(_LINES, st.just("two\nlines\n")),
    base.Line: _LINES,
    base.Duration: st.sampled_from(("30s", "5m", "1h30m", "500ms")),
    base.Quantity: st.sampled_from(("500m", "2", "1.5", "4Gi", "1e3", "0")),
    base.Label: _WORDS,
    base.Name: st.one_of(_WORDS, st.just("with.dots-and-dashes")),
    base.Host: st.sampled_from(("db.example.com", "10.1.2.3", "Mixed.Example.COM")),
    base.Digest: st.just("sha256:" + "0a" * 32),
    base.SubPath: st.sampled_from(("", "dags", "a/b c/d")),
    base.SecretKey: st.sampled_from(("key", "a.b-c_D", "1")),
    base.LabelKey: st.from_regex(r"([a-z]{1,9}\.example/)?[A-Za-z0-9]{1,9}", fullmatch=True),
    base.LabelValue: st.from_regex(
        r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", fullmatch=True
    ),
    base.EnvName: st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True),
    base.Version: st.sampled_from(("2.11.0", "3.0.6", "3.1.0", "3.2.2")),
    base.Cidr: st.sampled_from(("10.0.0.0/8", "10.20.0.0/24", "fd00::/8", "0.0.0.0/0")),
}
_VALUES = st.sampled_from(
    (
        {},
        {"scheduler": {"startupProbe": {"periodSeconds": 20}}},
        {"flower": {"enabled": True, "secretName": "flower"}},
        {"airflowPodAnnotations": {"example.com/x": "y"}, "dagProcessor": {"safeToEvict": False}},
    )
)


def _one_of(*names):
    """Keep at most one of these fields."""

    def keep(data, draw):
        given = [name for name in names if data.get(name) is not None]
        for name in given[1:]:
            del data[name]

    return keep


def _exactly_one(*choices):
    """Keep one of these fields, and write it when none is there."""

    def keep(data, draw):
        name, strategy = draw(st.sampled_from(choices))
        for other, _ in choices:
            data.pop(other, None)
        data[name] = draw(strategy)

    return keep


def _in_order(data, draw):
    least, most = data.get("minReplicas", 1), data["maxReplicas"]
    if "minReplicas" in data:
        data["minReplicas"] = min(least, most)


def _postgresql(data, draw):
    data.pop("embedded", None)
    if data.get("host") is None:
        data["embedded"] = True


def _pgbouncer(data, draw):
    data.pop("updateStrategy", None)


def _broker(data, draw):
    data.pop("host", None)
    data.pop("embedded", None)
    if draw(st.booleans()):
        data |= {"embedded": False, "host": "redis.example.com"}


def _oidc(data, draw):
    data["issuer"] = "https://id.example.com/realms/x"


def _bundle(data, draw):
    need = {"git": "repository", "local": "path", "custom": "classpath"}
    data[need[data.get("type", "git")]] = "example"


def _remote(data, draw):
    urls = {"s3": "s3://logs/x", "gcs": "gs://logs/x", "wasb": "wasb-logs/x"}
    data.pop("url", None)
    if data["type"] in urls:
        data["url"] = urls[data["type"]]


def _peer(data, draw):
    if draw(st.booleans()):
        for name in ("namespace", "namespaceLabels", "podLabels"):
            data.pop(name, None)
        data["cidr"] = "10.9.0.0/16"
    else:
        for name in ("cidr", "except", "namespaceLabels"):
            data.pop(name, None)
        data["namespace"] = "elsewhere"


def _secrets(data, draw):
    data.pop("store", None)
    if data.get("provider") == "external-secrets":
        data["store"] = {"name": "vault"}


def _suppression(data, draw):
    data["expires"] = "2030-01-31"


def _airflow(data, draw):
    names = ("LocalExecutor", "CeleryExecutor", "KubernetesExecutor")
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    data["executor"] = ",".join(chosen)


def _environment(data, draw):
    data["metadata"] = {"name": "one", "tier": data["metadata"].get("tier", "development")}
    data["destination"]["cluster"] = draw(st.sampled_from(("eu", "us")))
    for adopted in ("application", "project"):
        data["destination"].pop(adopted, None)
    data["chart"] = {"version": "1.22.0"}
    data["values"] = draw(_VALUES)
    data.pop("adoption", None)


def _counted(data, draw):
    _one_of("replicas", "autoscaling")(data, draw)


_TOGETHER = {
    components.DisruptionBudget: _exactly_one(
        ("maxUnavailable", st.sampled_from(("1", "25%"))), ("minAvailable", st.just("50%"))
    ),
    components.PgBouncer: _pgbouncer,
    components.HpaAutoscaling: _in_order,
    components.KedaAutoscaling: _in_order,
    components.ApiServer: _counted,
    components.Triggerer: _counted,
    components.Workers: _counted,
    stores.PostgreSQL: _postgresql,
    stores.Broker: _broker,
    Oidc: _oidc,
    Auth: _one_of("manager", "oidc", "ldap", "defaultUser"),
    Bundle: _bundle,
    RemoteLogging: _remote,
    Logging: _one_of("remote", "persistence"),
    Peer: _peer,
    Secrets: _secrets,
    Suppression: _suppression,
    environment.Airflow: _airflow,
    environment.Environment: _environment,
}


def _together(model):
    """What a model checks over several fields; DAG sources need the models themselves."""
    if model is Dags:
        return _exactly_one(
            ("gitSync", of_model(GitSync)),
            ("persistence", of_model(DagVolume)),
            ("bundles", st.lists(of_model(Bundle), max_size=2)),
            ("image", st.just({})),
        )
    return _TOGETHER.get(model)


@st.composite
def of_model(draw, model):
    """A mapping that this model accepts, in the words of a definition."""
    hints = typing.get_type_hints(model, include_extras=True)
    data = {}
    for name, field in model.model_fields.items():
        # Most fields are left out, so that what is drawn stays readable and near to real ones.
        if field.is_required() or draw(st.integers(0, 3)) == 3:
            data[field.alias or to_camel(name)] = draw(of_type(hints[name]))
    adjust = _together(model)
    if adjust is not None:
        adjust(data, draw)
    return data


def of_type(hint):
    """A strategy for the type of a field."""
    for known, strategy in _SCALARS.items():
        if hint == known:
            return strategy
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        if arguments[0] in (bool, int, str) or typing.get_origin(arguments[0]) is None:
            return _bare(hint, arguments[0])
        return of_type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(of_type(item) for item in arguments))
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(of_type(arguments[0]), max_size=2, unique_by=repr)
    if origin is dict:
        return st.dictionaries(of_type(arguments[0]), of_type(arguments[1]), max_size=2)
    return _bare(hint, hint)


def _bare(hint, kind):
    if kind is type(None):
        return st.none()
    if kind is typing.Any or kind is str:
        return _LINES
    if kind is int:
        return _NUMBERS
    if kind is bool:
        return st.booleans()
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return of_model(kind)
    raise AssertionError(f"no strategy for {hint}")


def definitions():
    """Definitions of an environment `one` that the model accepts."""
    return of_model(environment.Environment)

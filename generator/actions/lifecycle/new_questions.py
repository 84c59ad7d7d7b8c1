"""What `new` asks, in groups: each question, when it is asked, and the fields that it sets."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from generator.actions.lifecycle.new_draft import Draft
from generator.git.url import is_remote
from generator.model.repository import Cluster

Ask = Callable[[str, str], str]
"""Question and default → answer; an empty default must be answered, or Unanswered is raised."""
Fields = Mapping[str, object]
NONE = "none"
MONITORS = "monitoring.coreos.com"


class Unanswered(Exception):
    """Nobody is there to answer these questions."""

    def __init__(self, *questions: str) -> None:
        super().__init__(*questions)
        self.questions = questions


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """One question about a field; `sets` gives the fields of an answer other than none."""

    group: str
    field: str
    text: str
    asks: Callable[[Draft], bool]
    default: Callable[[Draft], str] = lambda _: NONE
    sets: Callable[[Draft, str], Fields] | None = None
    check: Callable[[str], str] = lambda _: ""
    """What is wrong with an answer that the definition's own rules would let pass."""

    def fields(self, draft: Draft, answer: str) -> Fields:
        """What an answer sets; nothing where it leaves the field out."""
        if answer == NONE and self.default(draft):
            return {}
        return self.sets(draft, answer) if self.sets else {self.field: answer}

    def fault(self, answer: str, default: str) -> str:
        """What is wrong with the answer as such."""
        if answer == NONE:
            return "" if default else "this is needed"
        return self.check(answer)


def ask_all(draft: Draft, given: Sequence[str], ask: Ask) -> Draft:
    """The draft with every answer; an answer that is wrong is asked for again, the others stay.

    `given` are fields that the command line sets: neither they nor what they are part of is asked.
    Raises Unanswered with all the questions that nobody answers.
    """
    unanswered: list[str] = []
    group = ""
    for question in QUESTIONS:
        if _is_given(question.field, given) or not question.asks(draft):
            continue
        text = f"{question.text} ({question.field})"
        heading = f"\n{question.group}\n" if question.group != group else ""
        group = question.group
        try:
            draft = _answered(draft, question, text, heading, ask)
        except Unanswered as error:
            unanswered += (item.removeprefix(heading) for item in error.questions)
    if unanswered:
        raise Unanswered(*unanswered)
    return draft


def _answered(draft: Draft, question: Question, text: str, heading: str, ask: Ask) -> Draft:
    asked = f"{heading}{text}"
    while True:
        default = question.default(draft)
        answer = ask(asked, default).strip()
        fields = question.fields(draft, answer)
        fault = question.fault(answer, default) or draft.fault(fields)
        if not fault:
            return draft.with_fields(fields)
        asked = f"{fault}\n{text}"


def ask_name(ask: Ask, text: str, known: Sequence[str]) -> str:
    """One of the known names, asked for until it is one."""
    asked = f"{text} ({', '.join(known)})"
    question = asked
    while (answer := ask(question, "").strip()) not in known:
        question = f"'{answer}' not found\n{asked}"
    return answer


def _is_given(field: str, given: Sequence[str]) -> bool:
    """Whether the command line sets this field, a part of it, or another choice at its place."""
    top = field.split(".")[0]
    whole = {"database.host": "database", "dags.gitSync.repository": "dags", "auth.oidc": "auth"}
    scope = whole.get(field) or ("auth" if field == "auth.oidc.issuer" else field)
    scope = "image" if top == "image" else scope
    return any(
        item == scope or item.startswith(f"{scope}.") or field.startswith(f"{item}.")
        for item in given
    )


def _in_development(draft: Draft) -> bool:
    return draft.tier == "development"


def _needs_server(draft: Draft) -> bool:
    """Whether the chart's own database will not do, or the chart has none."""
    return not _in_development(draft) or any("database.embedded" in item for item in draft.refused)


def _git(_: Draft, url: str) -> Fields:
    """The repository, and the credentials that its scheme needs."""
    if url.startswith(("https://", "http://")):
        login: Fields = {"dags.gitSync.public": True}
    else:
        login = {"dags.gitSync.secretName": "airflow-git-ssh"}
    return {"dags.gitSync.repository": url, "dags.gitSync.subPath": "dags", **login}


def _not_remote(url: str) -> str:
    return "" if is_remote(url) else f"'{url}' is not an https or ssh address of a git repository"


def _image(_: Draft, answer: str) -> Fields:
    repository, colon, tag = answer.rpartition(":")
    if not colon or "/" in tag:
        return {"image.repository": answer, "image.tag": ""}
    return {"image.repository": repository, "image.tag": tag}


def _login(_: Draft, name: str) -> Fields:
    return {"dags.gitSync.public": None, "dags.gitSync.secretName": name}


def _policy(draft: Draft) -> str:
    """Policies where the catalogue says what has to reach the UI."""
    needed = draft.value("ingress.host") is not None
    cluster = draft.cluster
    known = cluster is not None and cluster.ingress.namespace is not None
    return "ingress" if known or not needed else "off"


def _asks_host(way: str) -> Callable[[Draft], bool]:
    """Whether people come in this way: no other one is given, and the cluster has it."""

    def applies(draft: Draft) -> bool:
        given = any(draft.value(other) is not None for other in ("ingress", "gateway", "route"))
        return not _in_development(draft) and not given and _way_in(draft) == way

    return applies


def _way_in(draft: Draft) -> str:
    cluster = draft.cluster
    if cluster is None or cluster.ingress.class_name:
        return "ingress"
    if cluster.gateway.parent_refs:
        return "gateway"
    return "route" if cluster.openshift else "ingress"


def _has_git(draft: Draft) -> bool:
    return draft.value("dags.gitSync.repository") is not None


def _needs_class(draft: Draft) -> bool:
    cluster = draft.cluster
    known = cluster is not None and cluster.ingress.class_name is not None
    return draft.value("ingress.host") is not None and not known


_HOST = "host name of the UI, such as airflow.example.com"
QUESTIONS = (
    Question(
        "Database",
        "database.host",
        "host of the PostgreSQL server, such as pg.example.com",
        _needs_server,
        lambda _: "",
    ),
    Question(
        "DAGs",
        "dags.gitSync.repository",
        "git repository, such as git@github.com:acme/dags.git; none: DAGs in the image",
        lambda _: True,
        sets=_git,
        check=_not_remote,
    ),
    Question(
        "DAGs",
        "dags.gitSync.ref",
        "branch, tag or commit",
        _has_git,
        lambda _: "main",
    ),
    Question(
        "DAGs",
        "dags.gitSync.secretName",
        "Secret with its ssh key, or user and token; none: a public repository",
        _has_git,
        lambda draft: str(draft.value("dags.gitSync.secretName") or NONE),
        _login,
    ),
    Question(
        "DAGs",
        "image.repository",
        "image with the DAGs, such as registry.example.com/airflow:3.2.2-r1; none: Airflow's own",
        lambda draft: not _in_development(draft) and not _has_git(draft),
        sets=_image,
    ),
    Question(
        "Access",
        "ingress.host",
        _HOST,
        _asks_host("ingress"),
        sets=lambda _, host: {"ingress.host": host, "ingress.tls": {}},
    ),
    Question(
        "Access",
        "gateway.hostnames",
        _HOST,
        _asks_host("gateway"),
        sets=lambda _, host: {"gateway.hostnames": [host]},
    ),
    Question("Access", "route.host", _HOST, _asks_host("route")),
    Question(
        "Access",
        "ingress.className",
        "ingress class, such as nginx; none: the cluster's default",
        _needs_class,
    ),
    Question(
        "Access",
        "ingress.tls.clusterIssuer",
        "ClusterIssuer of cert-manager; none: a Secret holds the certificate",
        lambda draft: draft.value("ingress.host") is not None,
    ),
    Question(
        "Access",
        "auth.oidc.issuer",
        "OpenID Connect issuer for sign-in, such as https://id.example.com; none: set auth later",
        lambda draft: not _in_development(draft),
        sets=lambda _, url: {"auth.oidc.issuer": url, "auth.oidc.clientId": "airflow"},
    ),
    Question(
        "Access",
        "auth.oidc.clientId",
        "client that is registered there",
        lambda draft: draft.value("auth.oidc.issuer") is not None,
        lambda _: "airflow",
    ),
    Question(
        "Network",
        "networkPolicy.mode",
        "network policies: ingress guards what comes in; enforce needs every peer; off",
        lambda draft: not _in_development(draft),
        _policy,
    ),
)


def unasked(draft: Draft, given: Sequence[str]) -> Fields:
    """What the cluster can and nobody has to be asked for: monitors, and policies in development.

    `given` are fields that the command line sets.
    """
    return {
        field: value
        for field, value in _by_cluster(draft)
        if not _is_given(field, given) and not draft.fault({field: value})
    }


def _by_cluster(draft: Draft) -> Iterator[tuple[str, object]]:
    if _in_development(draft) and _policy(draft) != "off":
        yield "networkPolicy.mode", _policy(draft)
    if draft.cluster is not None and has_monitors(draft.cluster):
        yield "metrics.serviceMonitor", True


def has_monitors(cluster: Cluster) -> bool:
    """Whether the catalogue lists the API of the Prometheus operator."""
    return any(item.startswith(f"{MONITORS}/") for item in cluster.api_versions)

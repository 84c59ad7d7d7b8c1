"""Change by change: base and head through `gen-env diff`, and through an API server."""

import shutil

from generator.core.files import WorkTree
from generator.pipeline import side, toolchain
from generator.tree import catalogue
from generator.yaml.writer import dump
from tests.cluster.fidelity.changes import Deck
from tests.cluster.fidelity.observation import Cluster, FluxCluster, objects_of
from tests.cluster.fidelity.prediction import predicted
from tests.cluster.fidelity.score import Score
from tests.cluster.samples import NAMES, ROOT, ensure_namespace
from tests.repositories import Repo


def run(plane, folder, archive, *, count, seed, engine="argocd", aim=0.25, report=print):
    """The score of that many changes; those that gen-env does not generate are drawn again."""
    repo = _repository(folder / "repository")
    if engine == "flux":
        _under_flux(repo)
    definitions = {name: repo.yaml(_path(name)) for name in NAMES}
    deck, score, reported = Deck(definitions, archive, seed, aim), Score(), 0
    clusters = {name: _cluster(plane, _side(repo, name), engine) for name in NAMES}
    while score.changes < count:
        change = deck.draw()
        name = change.sample
        if not change.lines:
            continue
        head = _head(repo, change, definitions[name])
        if head is not None:
            known = {**clusters[name].base, **objects_of(head)}
            done = repo.run("diff", "HEAD", "--env", name, "--strict", "-o", "json")
            effects = clusters[name].effects(head)
            score.count(change, predicted(done.json, known), effects)
            report(f"{score.changes}/{count} {change}")
            for kind, word, name, _ in score.mismatches[reported:]:
                report(f"  {kind} {word}: {name}")
            reported = len(score.mismatches)
        repo.git("reset", "--quiet", "--hard")
        repo.git("clean", "--quiet", "-d", "--force")
    return score


def _repository(root):
    """The samples of this repository in one of their own, under git."""
    for path in ("gen-env.yaml", "environments", "bootstrap", ".gen-env"):
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, root / path)
        elif (ROOT / path).is_file():
            root.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, root / path)
    return Repo(root).init()


def _under_flux(repo):
    """The same samples with the other engine; windows are Argo CD's alone."""
    settings = repo.yaml("gen-env.yaml")
    del settings["argocd"]
    repo.write("gen-env.yaml", dump({**settings, "engine": "flux"}))
    for name in NAMES:
        definition = repo.yaml(_path(name))
        definition.get("sync", {}).pop("windows", None)
        repo.write(_path(name), dump(definition))
    done = repo.run("generate")
    assert done.code == 0, done.said
    repo.commit("Flux")


def _path(name):
    return f"environments/{name}/environment.yaml"


def _head(repo, change, definition):
    """The side that the change leads to, or None where gen-env refuses the definition."""
    repo.write(_path(change.sample), dump(change.of(definition)))
    if repo.run("generate", change.sample).code != 0:
        return None
    found = _side(repo, change.sample)
    return None if found.failure else found


def _side(repo, name):
    files = WorkTree(repo.root)
    inputs = side.inputs(files, name, catalogue.load(files).settings)
    found = side.render("", inputs, toolchain.charts(files, repo.root), toolchain.lazy(files))
    return side.governed(found, inputs)


def _cluster(plane, base, engine):
    for namespace in {"argocd", "flux-system", base.namespace}:
        ensure_namespace(plane, namespace)
    return {"argocd": Cluster, "flux": FluxCluster}[engine](plane, base)

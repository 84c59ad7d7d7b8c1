"""A played cluster that has what git says of an environment, and serves every kind of it."""

import copy

from generator.core.files import WorkTree
from generator.engine.deployment import is_of_engine
from generator.kube.resource import key_of
from generator.pipeline import repository, side, toolchain
from tests.fakes import apiserver


def objects(root, environment):
    """What Argo CD would apply."""
    files = WorkTree(root)
    inputs = side.inputs(files, environment, repository.load(files).settings)
    rendered = side.render("here", inputs, toolchain.charts(files), toolchain.lazy(files))
    found = [copy.deepcopy(it) for it in rendered.manifests if not is_of_engine(it)]
    for item in found:
        if namespace := key_of(item, rendered.namespace).namespace:
            item["metadata"]["namespace"] = namespace
    return found


def serve(found, patch):
    """Let played API servers have the kinds of these objects, as long as the patch lasts."""
    for item in found:
        version, kind = item["apiVersion"], item["kind"]
        plural = f"{kind.lower()[:-1]}ies" if kind.endswith("y") else f"{kind.lower()}s"
        patch.setitem(apiserver.KINDS, plural, kind)
        served = apiserver.SERVED.get(version, [])
        patch.setitem(apiserver.SERVED, version, [*served, *({plural} - {*served})])

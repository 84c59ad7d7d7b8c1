"""What is found outside of the rule tables: files, names, locks, trees, secrets, charts, renders.

Each is raised where it is found; here they are described, for the documentation and for `suppress`.
"""

from __future__ import annotations

from generator.core.problem import Severity
from generator.core.rule import Rule
from generator.lint.rule import ERROR, INFO, WARNING


def _rule(identity: str, severity: Severity, title: str, why: str) -> Rule:
    return Rule(identity, severity, title, why, "gen-env")


RULES = (
    _rule("yaml/syntax", ERROR, "A file that is no YAML of ours", "Nothing of it can be used."),
    _rule(
        "definition/schema",
        ERROR,
        "A definition with a wrong field or value",
        "What is not understood is never guessed.",
    ),
    _rule(
        "definition/name",
        ERROR,
        "A folder that is no name, or two of one name",
        "Namespaces, labels and Applications are named after it.",
    ),
    _rule(
        "definition/identity",
        ERROR,
        "A definition that calls itself otherwise than its folder",
        "The path below environments/ is the identity.",
    ),
    _rule(
        "definition/cluster",
        ERROR,
        "A cluster that gen-env.yaml does not know",
        "Everything about a cluster stands in its catalogue.",
    ),
    _rule(
        "definition/secret-in-url",
        ERROR,
        "A password or a token in a definition or in gen-env.yaml",
        "It comes into values, objects, pods and airflow.cfg, where many more can read it.",
    ),
    _rule("settings/missing", ERROR, "No gen-env.yaml", "It says which clusters there are."),
    _rule("settings/schema", ERROR, "A wrong field or value in gen-env.yaml", "As in definitions."),
    _rule(
        "settings/place",
        ERROR,
        "Another folder than repository.path says",
        "Argo CD reads paths from the top of the git repository.",
    ),
    _rule("lock/broken", ERROR, "A lock that cannot be read", "What it froze would be lost."),
    _rule(
        "lock/frozen",
        ERROR,
        "Another release name or namespace than the deployed one",
        "Everything would be made anew beside what is there.",
    ),
    _rule(
        "lock/newer-gen-env",
        ERROR,
        "A tree made by a newer gen-env",
        "This one would write it in an older way.",
    ),
    _rule(
        "tree/out-of-date", ERROR, "A generated file that differs", "It is not what was decided."
    ),
    _rule("tree/missing", ERROR, "A generated file that is missing", "Argo CD would prune it."),
    _rule(
        "tree/stale", ERROR, "A generated file that nothing gives any more", "It is still applied."
    ),
    _rule("tree/not-ours", ERROR, "A foreign file in the way", "gen-env overwrites its own only."),
    _rule("tree/symlink", ERROR, "A symbolic link below environments/", "It is never followed."),
    _rule(
        "tree/unreadable", ERROR, "A generated file that cannot be read", "It cannot be compared."
    ),
    _rule(
        "values/owned-key",
        ERROR,
        "A key in values: that a field owns, or that keeps a promise",
        "One value has one source.",
    ),
    _rule(
        "policy/foreign-name",
        ERROR,
        "The name of an Application or AppProject that gen-env.yaml does not allow",
        "A definition could take over somebody else's.",
    ),
    _rule(
        "sync/unmanaged-windows",
        ERROR,
        "Sync windows for an AppProject that gen-env does not manage",
        "Windows stand in the project; its owner must add them.",
    ),
    _rule(
        "network/undeclared-peer",
        ERROR,
        "A needed flow to a place that nobody declared",
        "Default deny would cut it off.",
    ),
    _rule("chart/archive", ERROR, "A chart archive that cannot be used", "Corrupt, or another."),
    _rule(
        "chart/unknown-line",
        ERROR,
        "A chart version that gen-env does not know",
        "Its keys and objects may have other names.",
    ),
    _rule("chart/schema", ERROR, "Values that Helm refuses", "Argo CD refuses them as well."),
    _rule("chart/deprecated", WARNING, "An old key, told by the chart", "It goes with chart 2.0."),
    _rule("chart/notes", WARNING, "A warning in the chart's notes", "Argo CD never shows them."),
    _rule("render/random", ERROR, "A field that each render makes anew", "Each sync changes it."),
    _rule("render/request", ERROR, "A name that Helm refuses", "Nothing can be rendered."),
    _rule("render/chart", ERROR, "A chart that Helm refuses", "Nothing can be rendered."),
    _rule("render/template", ERROR, "A template that fails", "Argo CD fails at it as well."),
    _rule("render/yaml", ERROR, "A template that gives no YAML", "A value broke its layout."),
    _rule(
        "render/limit",
        ERROR,
        "A render that takes too much time or memory",
        "A value makes a template run for ever.",
    ),
    _rule("secrets/plain", ERROR, "A plain Secret in git", "Whoever reads the repository has it."),
    _rule(
        "secrets/malformed",
        ERROR,
        "A SealedSecret of another shape",
        "The controller cannot unseal it, and adding a key would lose what it holds.",
    ),
    _rule(
        "secrets/kind", ERROR, "Another kind where a SealedSecret is needed", "Pods wait for it."
    ),
    _rule(
        "secrets/identity",
        ERROR,
        "A SealedSecret for another name or namespace",
        "The Secret would come where no pod looks.",
    ),
    _rule("secrets/missing", ERROR, "A needed key that is not there", "Pods do not start."),
    _rule("secrets/moved", ERROR, "A ciphertext sealed for another place", "It cannot be opened."),
    _rule("secrets/old-format", ERROR, "A ciphertext in spec.data", "The controller refuses it."),
    _rule("secrets/renewed", INFO, "Sealed with an earlier certificate", "Seal anew after a leak."),
    _rule(
        "secrets/reused", ERROR, "One ciphertext that stands twice", "It was copied, not sealed."
    ),
    _rule(
        "secrets/rotation",
        INFO,
        "A rotation of the Fernet key under way, or broken off",
        "Until its last step two keys are needed.",
    ),
    _rule("secrets/scope", ERROR, "Another scope than the settings say", "It is not unsealed."),
    _rule("secrets/size", ERROR, "More than a Secret may hold", "Kubernetes refuses it."),
    _rule(
        "secrets/uri",
        WARNING,
        "A connection sealed for another host",
        "Pods would still ask there.",
    ),
    _rule(
        "secrets/certificate",
        ERROR,
        "A sealing certificate that cannot be used",
        "Or not for long.",
    ),
    _rule(
        "secrets/stub",
        WARNING,
        "A secret that is not sealed yet",
        "Nothing syncs by itself until it is; an error in production, a note in development.",
    ),
    _rule("secrets/unused", WARNING, "A sealed file that nothing needs", "It is never removed."),
    _rule("suppress/expired", ERROR, "A suppression after its day", "Decide anew."),
    _rule("suppress/not-allowed", ERROR, "A suppression that policy forbids", "See policy.tiers."),
    _rule("suppress/unknown-rule", WARNING, "A suppression of no rule", "It accepts nothing."),
    _rule("suppress/unused", INFO, "A suppression that finds nothing", "Remove it."),
)

"""The conditions of a verdict, in order, and what makes each met, waiting or failed.

The table in docs/verification.md is generated from this one; a condition cannot take a state that
has no text here.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Spec:
    """One condition: when it is met, waited for and failed; an empty text means never."""

    name: str
    met: str
    waiting: str
    failed: str = ""


ALL = (
    Spec(
        "application",
        "the Application exists and has the commit's sources",
        "it is missing, or the root Application has not synced it yet",
        "it was deleted while verification watched, is being deleted, or its spec is invalid",
    ),
    Spec(
        "revision",
        "Argo CD compared the commit, or one that contains it, with the rendered chart version",
        "Argo CD is at another commit, at another chart version, or compared an older spec",
    ),
    Spec(
        "operation",
        "the sync of the commit succeeded with every object and hook in it, or nothing differed",
        "no sync has begun, one is running, or the sync of another commit holds it up",
        "the sync failed, an object was refused, or a hook failed although the sync succeeded",
    ),
    Spec(
        "settled",
        "Argo CD reconciled the Application after the sync ended, and not too long ago",
        "Argo CD has not reconciled it since",
        "only under Flux: a Kustomization is stalled or is being deleted",
    ),
    Spec(
        "synced",
        "Argo CD finds no difference, and `ignoreDifferences` hides none of a rendered field",
        "objects differ or have to be pruned, or a difference is hidden: the message names the "
        "fields",
    ),
    Spec(
        "workloads",
        "every rendered workload has its rendered images and pod annotations, is rolled out and "
        "available",
        "one is missing, not as rendered, rolling out, or keeps old pods (`partition`, `OnDelete`)",
        "a pod cannot start or crashes in a loop, pods are refused, the roll-out is paused or over "
        "its deadline",
    ),
    Spec(
        "replicas",
        "every workload asks for at least the rendered replicas or its autoscaler's minimum",
        "one asks for fewer: it was scaled by hand, or the autoscaler has not acted yet",
        "one was scaled to 0, which switches its HorizontalPodAutoscaler off",
    ),
    Spec(
        "pods",
        "every workload has the required number of ready pods of its current template, counted one "
        "by one",
        "a pod is missing, pending, cannot be scheduled, or is not ready, or one of an earlier "
        "template still runs",
    ),
    Spec(
        "restarts",
        "no container ended and no pod was evicted in the settle window; a container that was "
        "restarted has since run as long as before (at most 10 minutes)",
        "a container was restarted, or a pod was evicted, too short a time ago",
        "a container is restarted again and again",
    ),
    Spec(
        "images",
        "every pod runs the digest that is rendered; two digests of one tag are named",
        "a pod runs another digest than the rendered one",
    ),
    Spec(
        "migration",
        "the database is migrated: by the Job, its hook's result, or a pod that waited for it",
        "the Job runs or has not run",
        "the Job or its hook failed",
    ),
    Spec(
        "jobs",
        "every other rendered Job of the sync is complete; those whose end was not seen are named",
        "one runs, is retried or suspended, or is missing",
        "one failed, such as at its `backoffLimit`",
    ),
    Spec(
        "airflow",
        "metadata database, scheduler, triggerer and DAG processor are healthy, each with a "
        "heartbeat since the sync and since its newest pod started",
        "one is unhealthy, or its last heartbeat is older, or in the future",
    ),
    Spec(
        "secrets",
        "the controller unsealed every SealedSecret as rendered",
        "one is missing, not as rendered, or not unsealed yet",
        "the controller cannot unseal one",
    ),
    Spec(
        "fresh-pods",
        "every container started after each Secret that it reads was unsealed; Secrets of unknown "
        "age are named",
        "a Secret is not unsealed yet",
        "a container still has the previous contents",
    ),
    Spec(
        "storage",
        "every PersistentVolumeClaim is bound",
        "one is missing or pending",
        "one has lost its volume",
    ),
    Spec(
        "autoscaling",
        "every autoscaler can read its metrics and scale, and is not paused",
        "one is missing, paused or switched off (`ScalingDisabled`), or has not read its target",
        "one cannot read its metrics or cannot scale",
    ),
    Spec(
        "manifests",
        "every other object of the environment that verification follows is healthy; listed only "
        "where there is one",
        "one is missing or not ready yet",
        "one reports a failure",
    ),
)

BY_NAME = {spec.name: spec for spec in ALL}


def require(name: str, state: str) -> None:
    """Raise ValueError, a bug of the caller, for a condition or a state that ALL does not have."""
    if not getattr(BY_NAME.get(name), state, ""):
        raise ValueError(f'the condition "{name}" is never {state}: see verify/conditions.py')

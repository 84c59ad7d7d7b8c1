"""What the pods may do and use: cloud identity, roles, quota, limits."""

from typing import Annotated

from generator.model.base import Bool, Line, Quantity, Spec, Text
from generator.model.marks import Copied


class ServiceAccount(Spec):
    """Kubernetes identity of the Airflow pods, for cloud roles."""

    annotations: Annotated[dict[str, Text], Copied.FILL_IN] = {}
    """On the service accounts of every component that touches logs, secrets or tasks."""
    workers: Annotated[dict[str, Text], Copied.FILL_IN] = {}
    """More annotations for workers, task pods and the triggerer alone."""


class Rbac(Spec):
    """What the pods may do in the cluster."""

    create: Bool = True
    """False when somebody else makes roles and bindings."""
    allow_pod_launching: Bool = True
    """Tasks may start pods (KubernetesPodOperator, Kubernetes executor)."""
    multi_namespace: Bool = False
    """Pods in other namespaces too: cluster-wide roles."""


class Quota(Spec):
    """What the namespace may use in all: a ResourceQuota's `hard`."""

    hard: dict[Line, Quantity]
    """Resource → the most that all pods together may use."""


class Limits(Spec):
    """What a container gets that asks for nothing: a LimitRange."""

    default: dict[Line, Quantity] = {}
    """Resource → limit of a container that names none."""
    default_request: dict[Line, Quantity] = {}
    """Resource → request of a container that names none."""
    max: dict[Line, Quantity] = {}
    """Resource → the most that a container may ask for."""

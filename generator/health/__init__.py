"""Whether a Kubernetes object is well, judged from the object alone with Argo CD's semantics."""

from generator.health.assessment import assess, assess_all
from generator.health.status import Health, Status

__all__ = ["Health", "Status", "assess", "assess_all"]

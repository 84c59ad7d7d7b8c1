"""The edge to Kubernetes API servers: lists, watches, logs, reviews and dry runs; no writes."""

from generator.cluster.client import Cluster
from generator.cluster.errors import ClusterError, Trouble
from generator.cluster.objects import Event, Listing
from generator.kube.resource_type import ResourceType

__all__ = ["Cluster", "ClusterError", "Event", "Listing", "ResourceType", "Trouble"]

"""Values of a live release: Helm's own record of it, a Secret `sh.helm.release.v1.NAME.vN`."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from generator.core.basis import Origin, Version
from generator.core.errors import UserError
from generator.helmvalues.dependency import EXACT
from generator.helmvalues.found import ValuesSource, judged
from generator.helmvalues.layers import ValuesLayer
from generator.kube.fields import section
from generator.yaml.reader import Document

TYPE = "helm.sh/release.v1"
_CHART = "airflow"
# Kubernetes holds a megabyte of it, packed; a record of the whole chart has some five.
_MAX_BYTES = 64 * 1024 * 1024


def is_record(document: Document) -> bool:
    """Whether a document is such a Secret."""
    data = section(document.data)
    return data.get("kind") == "Secret" and str(data.get("type")) == TYPE


def source(document: Document) -> ValuesSource:
    """What the user gave Helm, with release, namespace and chart version.

    Raises UserError for a record that cannot be unpacked, and for another chart's. Nothing of its
    content is ever part of a message.
    """
    record = _unpacked(document)
    metadata = section(record, "chart", "metadata")
    if metadata.get("name") != _CHART:
        raise UserError(
            f"this is a release of the chart {metadata.get('name')}, not of {_CHART}",
            path=document.path,
        )
    config = record.get("config")
    values = dict(config) if isinstance(config, Mapping) else {}
    version = str(metadata.get("version") or "")
    found = ValuesSource(
        document.path,
        "values",
        {},
        (ValuesLayer(values, document.path, lambda path: None),),
        "helm",
        str(record.get("name") or "airflow"),
        str(record.get("namespace") or "airflow"),
        Version(version, Origin.RECORD) if EXACT.fullmatch(version) else Version(),
    )
    return judged(found, ())


def _unpacked(document: Document) -> Mapping[str, Any]:
    packed = section(document.data, "data").get("release")
    try:
        # Helm's own base64 around a gzip, and Kubernetes' around that.
        inner = base64.b64decode(base64.b64decode(str(packed or ""), validate=True))
        stream = zlib.decompressobj(wbits=31)
        data = stream.decompress(inner, _MAX_BYTES)
        record = json.loads(data) if not stream.unconsumed_tail else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        record = None
    if not isinstance(record, Mapping):
        raise UserError(
            "Helm's record of this release cannot be unpacked",
            path=document.path,
            hint="helm get values NAME -n NAMESPACE > live.yaml gives the same values",
        ) from None
    return record

"""One field changed at a time, in objects of every kind: what `lint` says, and a real API server.

The default set asks about every tenth change, `GEN_ENV_FIELDS=1` about all.
"""

import http.client
import json
import os
import re

import pytest

from generator.lint.objects import api_server, kubernetes_schema
from generator.lint.objects.context import Context, RenderedInput
from tests.cluster.fidelity.prediction import _REFUSED
from tests.cluster.plane import ADMIN
from tests.generator.lint.mutations import mutated, mutations
from tests.generator.lint.whole_objects import OBJECTS

pytestmark = pytest.mark.nightly

STRIDE = int(os.environ.get("GEN_ENV_FIELDS", "10"))

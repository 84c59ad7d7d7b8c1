"""One field changed at a time, in objects of every kind: what `lint` says, and a real API server.

The default set asks about every tenth change, `GEN_ENV_FIELDS=1` about all.
"""

import os

import pytest

pytestmark = pytest.mark.nightly

STRIDE = int(os.environ.get("GEN_ENV_FIELDS", "10"))

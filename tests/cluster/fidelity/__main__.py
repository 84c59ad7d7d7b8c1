"""Write the score table of docs/fidelity.md: `python -m tests.cluster.fidelity [--changes N]`.

Needs etcd and kube-apiserver (`make cluster-tools`), the official chart in the cache and
GEN_ENV_CRDS.
"""

import argparse
import os
import re
import tempfile
from pathlib import Path

from generator.chart.cache import ChartCache
from tests.cluster import plane
from tests.cluster.conftest import define
from tests.cluster.fidelity import experiment
from tests.cluster.samples import ROOT

PAGE = ROOT / "docs" / "fidelity.md"
_TABLE = re.compile(r"(?<=<!-- score -->\n).*?(?=<!-- end score -->)", re.S)


def main():
    """Run the experiment and put its table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("GEN_ENV_OFFLINE", "1")
    cache = ChartCache.from_environment()
    archive = cache.locate("airflow", "1.22.0", cache.need("airflow", "1.22.0").digest)
    with tempfile.TemporaryDirectory() as name, plane.running(Path(name)) as server:
        define(server)
        score = experiment.run(
            server, Path(name), archive, count=options.changes, seed=options.seed
        )
    words = (
        f"{score.changes} changes, seed {options.seed}, official chart 1.22.0.\n\n{score.table()}"
    )
    PAGE.write_text(_TABLE.sub(lambda _: words, PAGE.read_text("utf-8")), "utf-8")
    print(words, *map(str, score.mismatches), sep="\n")


if __name__ == "__main__":
    main()

"""Write a score table of docs/fidelity.md: `python -m tests.cluster.fidelity [--engine flux]`.

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
from tests.cluster.fidelity.score import Score
from tests.cluster.samples import ROOT

PAGE = ROOT / "docs" / "fidelity.md"
_TABLES = {
    engine: re.compile(rf"(?<=<!-- score {engine} -->\n).*?(?=<!-- end score {engine} -->)", re.S)
    for engine in ("argocd", "flux")
}


def main():
    """Run the experiment and put its table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--seed", type=int, nargs="+", default=[1], help="a run for each")
    parser.add_argument("--aim", type=float, default=0.25, help="how many at data and Jobs")
    parser.add_argument("--engine", choices=_TABLES, default="argocd")
    options = parser.parse_args()
    os.environ.setdefault("GEN_ENV_OFFLINE", "1")
    cache = ChartCache.from_environment()
    archive = cache.locate("airflow", "1.22.0", cache.need("airflow", "1.22.0").digest)
    score = Score()
    for seed in options.seed:
        drawn = {"count": options.changes, "seed": seed, "engine": options.engine}
        with tempfile.TemporaryDirectory() as name, plane.running(Path(name)) as server:
            define(server)
            score.include(experiment.run(server, Path(name), archive, aim=options.aim, **drawn))
    seeds = ", ".join(map(str, options.seed))
    words = f"{score.changes} changes, seed {seeds}, official chart 1.22.0.\n\n{score.table()}"
    page = _TABLES[options.engine].sub(lambda _: words, PAGE.read_text("utf-8"))
    PAGE.write_text(page, "utf-8")
    print(words, *map(str, score.mismatches), sep="\n")


if __name__ == "__main__":
    main()

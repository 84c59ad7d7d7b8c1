"""Measures over every chart at hand which keys in advice the chart does not read.

    python -m tools.chart_hints

Each rule's own bad cases are judged as of each chart; every key in a hint is looked up in that
chart's traits. The list of pairs of rule and key must be empty; the exit code is 1 if it is not.
"""

import sys

from tests import chart_range
from tests.generator.lint import advice


def main():
    total, pairs = 0, {}
    for version in chart_range.VERSIONS:
        count, wrong = advice.measured(version)
        total += count
        print(f"{version}: {count} hints name keys, {len(wrong)} pairs of rule and key are wrong")
        for rule, key, reading in wrong:
            pairs.setdefault((rule, key), []).append(f"{version} {reading}")
    for (rule, key), versions in sorted(pairs.items()):
        print(f"{rule}  {key}  {', '.join(versions)}")
    print(f"{len(chart_range.VERSIONS)} charts, {total} hints, {len(pairs)} wrong pairs")
    return 1 if pairs or not chart_range.VERSIONS else 0


if __name__ == "__main__":
    sys.exit(main())

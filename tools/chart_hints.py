"""Measures over every chart at hand what is said of values and does not hold.

    python -m tools.chart_hints

Each rule's own bad cases are judged as of each chart; every key in a hint is looked up in that
chart's traits. Then the chart's own defaults and releases as people run them are judged, each
advice is followed, each old name is renamed, and what is said to fail a render is rendered. Both
lists must be empty; the exit code is 1 if they are not, or if no chart is at hand.
"""

import sys

from tests import chart_range
from tests.generator.lint import advice


def main():
    hints, claims, pairs, wrong = 0, 0, {}, []
    for version in chart_range.VERSIONS:
        count, keys = advice.measured(version)
        said, false = advice.false_claims(version)
        hints, claims = hints + count, claims + said
        print(
            f"{version}: {count} hints name keys, {len(keys)} pairs of rule and key are wrong;"
            f" {said} findings on releases, {len(false)} false"
        )
        for rule, key, reading in keys:
            pairs.setdefault((rule, key), []).append(f"{version} {reading}")
        wrong += [f"{version}  {'  '.join(item)}" for item in sorted(false)]
    for (rule, key), versions in sorted(pairs.items()):
        print(f"{rule}  {key}  {', '.join(versions)}")
    print("\n".join([*wrong, *_missing()]))
    print(
        f"{len(chart_range.VERSIONS)} charts, {hints} hints, {len(pairs)} wrong pairs,"
        f" {claims} findings, {len(wrong)} false"
    )
    return 1 if pairs or wrong or not chart_range.VERSIONS else 0


def _missing():
    """The releases that nothing was measured on."""
    names = [name for name in chart_range.RELEASES if name not in chart_range.VERSIONS]
    return [f"not measured, no archive: {', '.join(names)}"] if names else []


if __name__ == "__main__":
    sys.exit(main())

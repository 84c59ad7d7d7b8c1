"""Reports to try every format on."""

from __future__ import annotations

from generator.core.problem import Problem, Severity
from generator.diff.model import Side
from generator.report.assemble import environment_diff
from generator.report.model import Report
from tests.golden_cases import NAMES, report_of

HOSTILE = [
    "```\n````\n@everyone <!-- x --> <img src=x onerror=alert(1)>\n~~~\n</details>\n</script>",
    "a`b|c\\|d\n\n# heading\n[link](https://evil.example.com) ![x](//evil.example.com/x.png)",
    "\u202e\u200b\x1b[31mred\x07\r\nwww.example.com #1 !2 &3 \ud800 \U0001f600 " + "`" * 40,
    "-->]]>*_*__a__ <details><summary> $x$ ~~gone~~ :smile: " + "\u00e9" * 300,
]


def config(name, text):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"t": text},
    }


def hostile_report():
    """Names, texts, problems and revisions that try to break out of every format."""
    environments = []
    for number, text in enumerate(HOSTILE):
        base = (config(text, f"before\n{text}\n"), config("same", text))
        head = (config(text, f"after\n{text}\n"), config("new" + text, text))
        problem = Problem("x/y" + text, Severity.WARNING, text, text, text, 3, text)
        environments.append(
            environment_diff(
                f"{number}{text}",
                Side("base", base, namespace=text),
                Side("head", head, namespace=text),
                old_name=text,
                problems=[problem],
            )
        )
    return Report(HOSTILE[0], HOSTILE[1], tuple(environments), (problem,))


def golden_report():
    """Every golden case as an environment of its own."""
    import dataclasses

    environments = [
        dataclasses.replace(report_of(name).environments[0], name=name) for name in NAMES
    ]
    return Report("origin/main", "feature", tuple(environments))


def large_report(objects=3_000):
    """Many environments and objects, some of them long."""
    environments = []
    for number in range(20):
        base = [config(f"c{i}", f"{i}\n" * (i % 50)) for i in range(objects // 20)]
        head = [config(f"c{i}", f"{i}x\n" * (i % 50)) for i in range(objects // 20)]
        environments.append(
            environment_diff(f"team/{number}", Side("b", tuple(base)), Side("h", tuple(head)))
        )
    return Report("b", "h", tuple(environments))


def empty_report():
    """Nothing was touched."""
    return Report("b", "h")


REPORTS = {
    "empty": empty_report,
    "golden": golden_report,
    "hostile": hostile_report,
    "large": large_report,
}

"""Facts about Airflow's releases, derived from released packages: the data of generator/airflow.

`python -m tools.airflow_facts` writes the data, `--check` compares it with what is written. The
packages come from their registry through uv and stay in a cache; they are parsed, never imported.
For a new release: raise LINES, RELEASES and PROVIDERS, run it, and read the difference.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools import airflow_source as source

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "generator/airflow"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "gen-env/airflow"

# The newest patch of each line.
LINES = ("2.5.3", "2.6.3", "2.7.3", "2.8.4", "2.9.3", "2.10.5", "2.11.2",
         "3.0.6", "3.1.8", "3.2.2", "3.3.2")  # fmt: skip
# Releases whose schema or providers differ from their line's newest: all of Airflow 3 so far.
RELEASES = ("3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.0.4", "3.0.6",
            "3.1.0", "3.1.1", "3.1.2", "3.1.3", "3.1.5", "3.1.6", "3.1.7", "3.1.8",
            "3.2.0", "3.2.1", "3.2.2", "3.3.0", "3.3.1", "3.3.2")  # fmt: skip
# Providers with options or an Alembic branch: the newest of each major version, because an option
# is removed in a major version only. Before 2.7 their options were part of Airflow.
PROVIDERS = {
    "amazon": ("8.29.0", "9.39.0"),
    "apache-hive": ("7.0.1", "8.2.1", "9.7.1"),
    "apache-kafka": ("2.1.0",),
    "celery": ("3.26.0",),
    "cncf-kubernetes": ("7.14.0", "8.4.2", "9.0.1", "10.25.0"),
    "common-io": ("1.11.0",),
    "daskexecutor": ("1.1.1",),
    "edge3": ("1.6.0", "2.0.1", "3.8.0", "4.3.2", "5.1.0"),
    "elasticsearch": ("5.5.3", "6.10.0"),
    "fab": ("1.5.4", "2.4.4", "3.10.2"),
    "google": ("10.26.0", "22.8.0"),
    "imap": ("3.13.1",),
    "informatica": ("0.2.2",),
    "keycloak": ("0.11.2",),
    "microsoft-azure": ("8.5.1", "9.0.1", "10.5.1", "11.1.0", "12.10.3", "13.5.1", "14.1.0",
                        "15.2.1"),
    "openlineage": ("1.14.0", "2.20.3"),
    "opensearch": ("1.15.0",),
    "smtp": ("1.9.0", "2.4.5", "3.2.0"),
    "snowflake": ("5.8.1", "6.20.0"),
    "standard": ("0.4.0", "1.21.0"),
    "yandex": ("3.12.0", "4.6.1"),
}  # fmt: skip
# The providers with an Alembic branch that official images hold.
IN_IMAGES = ("fab",)


def main():
    """Write the data, or with `--check` exit 1 and name what differs."""
    lines = {_line(version): _airflow(version) for version in LINES}
    providers = {
        name: [_provider(name, version) for version in versions]
        for name, versions in PROVIDERS.items()
    }
    texts = {
        "options.json": _text(_options(lines, providers)),
        "migrations.json": _text(_migrations(lines, providers)),
    }
    stale = [name for name, text in texts.items() if _present(name) != text]
    if "--check" in sys.argv:
        sys.exit(f"differs from what the packages say: {', '.join(stale)}" if stale else 0)
    for name, text in texts.items():
        (DATA / name).write_text(text, "utf-8")


def _present(name):
    path = DATA / name
    return path.read_text("utf-8") if path.is_file() else None


def _text(data):
    """JSON with one line for each entry of the second level, so that differences can be read."""
    parts = []
    for key in sorted(data):
        value = data[key]
        if isinstance(value, dict):
            rows = (f"  {json.dumps(name)}: {_dense(value[name])}" for name in _sorted(value))
            parts.append(f"{json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n }")
        else:
            parts.append(f"{json.dumps(key)}: {_dense(value)}")
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def _dense(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sorted(mapping):
    return sorted(mapping, key=lambda key: (_numbers(key) or (), key))


def _numbers(text):
    return tuple(map(int, text.split("."))) if re.fullmatch(r"\d+(\.\d+)+", text) else None


def _line(version):
    return version.rpartition(".")[0]


# Options


def _options(lines, providers):
    names = list(lines)
    return {
        "lines": dict(zip(names, LINES, strict=True)),
        "providers": {
            name: {
                "newest": PROVIDERS[name][-1],
                "options": _joined(item.options for item in items),
                "read": _undocumented(items, lines.values()),
            }
            for name, items in providers.items()
        },
        "options": _over_lines(lines),
        "moved": _ranges({name: _moves(facts, providers) for name, facts in lines.items()}, names),
        "removed": _ranges(
            {name: {_key(key): True for key in facts.removed} for name, facts in lines.items()},
            names,
        ),
        "sections": {
            "moved": _ranges({name: facts.sections for name, facts in lines.items()}, names),
            "open": sorted(
                {section for facts in lines.values() for section in facts.open_sections}
                | {s for items in providers.values() for item in items for s in item.open_sections}
            ),
        },
    }


def _over_lines(lines):
    """Section → option → where it is, and what Airflow says about when it came."""
    names = list(lines)
    result = {}
    for name, facts in lines.items():
        for section, options in facts.options.items():
            for option, about in options.items():
                entry = result.setdefault(section, {}).setdefault(option, {"in": []})
                entry["in"].append(name)
                entry.update(about)
                entry.pop("undocumented", None)
        for section, option in facts.reads:
            entry = result.setdefault(section, {}).setdefault(option, {"in": []})
            if name not in entry["in"]:
                if not entry["in"]:
                    entry["undocumented"] = True
                entry["in"].append(name)
    for options in result.values():
        for entry in options.values():
            entry["in"] = _span(entry["in"], names)
    return result


def _undocumented(items, lines):
    """Options that a provider reads and nothing documents, Airflow's own sections among them."""
    reads = set().union(*(item.reads for item in items))
    return sorted(
        _key(option)
        for option in reads
        if not any(option[1] in facts.options.get(option[0], {}) for facts in (*lines, *items))
    )


def _moves(facts, providers):
    """Old option → [new option, whether it is still read] in one release.

    The linter's name for it counts before the fallback's. A fallback is of use only where the new
    option is one that this release or a provider reads.
    """
    all_facts = (facts, *(items[-1] for items in providers.values()))
    read = {
        old: new
        for new, olds in facts.fallbacks.items()
        for old in olds
        if any(item.knows(new) for item in all_facts)
    }
    moves = {**read, **facts.renamed}
    return {
        _key(old): [_key(new), read.get(old) is not None]
        for old, new in moves.items()
        if old in facts.renamed or old[1] not in facts.options.get(old[0], {})
    }


def _joined(parts):
    result = {}
    for options in parts:
        for section, names in options.items():
            result.setdefault(section, set()).update(names)
    return {section: sorted(names) for section, names in result.items()}


def _ranges(by_line, names):
    """{line: {key: value}} → {key: [[lines, value], …]}."""
    result = {}
    for name in names:
        for key, value in by_line[name].items():
            entries = result.setdefault(key, [])
            same = next((entry for entry in entries if entry[1] == value), None)
            if same:
                same[0].append(name)
            else:
                entries.append([[name], value])
    return {
        key: [[_span(lines, names), value] for lines, value in entries]
        for key, entries in result.items()
    }


def _span(lines, names):
    """`2.5-2.11,3.1`: consecutive lines as one range."""
    parts = []
    for name in lines:
        if parts and names.index(name) == names.index(parts[-1][-1]) + 1:
            parts[-1].append(name)
        else:
            parts.append([name])
    return ",".join(part[0] if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _key(pair):
    return " ".join(pair)


# Migrations


def _migrations(lines, providers):
    newest = lines[_line(LINES[-1])]
    branches = {
        name: {"heads": items[-1].heads, "newest": PROVIDERS[name][-1]}
        for name, items in providers.items()
        if items[-1].heads
    }
    return {
        "airflow": {
            "heads": {**_before(min(map(_numbers, newest.heads)), lines["2.6"]), **newest.heads},
            "newest": LINES[-1],
        },
        "revisions": newest.revisions,
        "providers": branches,
        "provider-revisions": {name: providers[name][-1].revisions for name in branches},
        "images": {version: _image(version) for version in RELEASES},
    }


def _before(oldest, line):
    """Heads of releases that the newest one no longer names, as it squashes their revisions."""
    return {version: head for version, head in line.heads.items() if _numbers(version) < oldest}


def _image(version):
    """When a release was published, and its newest providers at that time; cached."""
    kept = CACHE / "images" / f"{version}.json"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(_found_image(version)), "utf-8")
    return json.loads(kept.read_text("utf-8"))


def _found_image(version):
    published = _published(f"apache-airflow=={version}")["apache-airflow"][1]
    wanted = [f"apache-airflow-providers-{name}" for name in IN_IMAGES]
    newest = _published(*wanted, before=published)
    return {
        "published": published[:10],
        **{name: newest[package][0] for name, package in zip(IN_IMAGES, wanted, strict=True)},
    }


def _published(*requirements, before=None):
    """Package → (version, time of its upload), of the newest releases before a time."""
    limit = ["--exclude-newer", before] if before else []
    done = _uv("pip", "compile", "--quiet", "--no-deps", "--no-header", "--format", "pylock.toml",
               "--python-version", "3.12", *limit, "-", stdin="\n".join(requirements))  # fmt: skip
    return {
        item["name"]: (
            item["version"],
            min(f"{wheel['upload-time']:%Y-%m-%dT%H:%M:%SZ}" for wheel in item["wheels"]),
        )
        for item in tomllib.loads(done)["packages"]
    }


# Packages


def _airflow(version):
    if version.startswith("2."):
        return source.airflow(_package(f"apache-airflow=={version}"))
    kit = _package(f"apache-airflow-task-sdk==1{version[1:]}")
    return source.airflow(_package(f"apache-airflow-core=={version}"), kit)


def _provider(name, version):
    return source.provider(_package(f"apache-airflow-providers-{name}=={version}"))


def _package(requirement):
    """The folder of an unpacked package, without what it depends on."""
    folder = CACHE / "packages" / requirement
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
            target = Path(beside) / "package"
            _uv("pip", "install", "--quiet", "--no-deps", "--python-version",
                _python_of(requirement), "--target", target, requirement)  # fmt: skip
            target.rename(folder)
    return folder


def _python_of(requirement):
    return "3.10" if re.search(r"==2\.[56]", requirement) else "3.11"


def _uv(*arguments, stdin=None):
    command = [Path(sys.executable).with_name("uv"), *arguments]
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        sys.exit(f"uv failed: {done.stderr[-500:]}")
    return done.stdout


if __name__ == "__main__":
    main()

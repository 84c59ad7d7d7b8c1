"""Writes what gen-env ships about the official chart's releases, from their archives.

    python -m tools.chart_keys FOLDER    write generator/chart/keys.json.gz and official.json
    python -m tools.chart_keys FOLDER --check    say whether they are what the archives give

FOLDER holds the archives, such as a chart cache. `keys.json.gz` is made of one archive for each
version. `official.json` has the digests below, and what each part of the archive that has such a
digest is.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from generator.chart import key_table, official, traits_cache
from generator.chart.chart import ChartArchive, open_chart
from generator.chart.traits_reader import traits_of
from generator.chart.version import parse_version

_OUTPUT = Path("generator/chart")
STATED = {
    "1.5.0": "aea992fc3d59d34e0b932c77b0a55b8868a8b406665e1c85216dccdd77d1ff30",
    "1.6.0": "09e5f92c361b1e3b0006dd0673e2acbcd3a60102c725da815636badf1553a918",
    "1.7.0": "0ad505c7f621aeb7dcb5f8333d9e7c5a5381ee1e9abc8602c07d1e6b501c02e3",
    "1.8.0": "62d5465b95d1b82fad8b575c6919f29200eb7a8011df49063733143fc9f4fd5a",
    "1.16.0": "45f7bc33fffb3f80113ea41051c49956cddf67b6b0dd47e97219459fed0a83f1",
    "1.17.0": "836aee8485d521289713a10346abc420b7d59d34ec144e1175ba5bfd79fe2027",
}
"""Digests that the index of the project's chart repository states."""

FOUND = {
    "1.13.1": "ed6b2dea0d8f99eb9bd9cd6bc418db95f88a7bb3b8d1afb7fdc266b1ea411a15",
    "1.18.0": "8286a11351af1b874a08395e7bfa73f32d9694977e24496b516b4c2561e0a622",
    "1.19.0": "3d5735278047856c7698752a9cdb8abc0f9c164a915903f1c1f05cb75734ea7c",
    "1.20.0": "29740c59c42960f14ac710069686a70220c011e210b6ca7d7f4d0f748da0917a",
    "1.22.0": "1f7d1dfe3d58e2c54899950aba907a43625a18c8b6fb3c54760c21592129a5b6",
}
"""Digests of archives found in public repositories that the project's own release tool gives to
the byte: from the release's tag, or (1.20.0, 1.22.0) from their own content packed again."""


def made(archives: list[ChartArchive]) -> dict[Path, bytes]:
    """The files to write, by path."""
    table = key_table.as_data([traits_cache.as_data(traits_of(chart)) for chart in archives])
    keys = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
    digests = {**{v: (d, "stated") for v, d in STATED.items()}}
    digests |= {version: (digest, "found") for version, digest in FOUND.items()}
    parts = {chart.digest: official.part_digests(chart) for chart in archives}
    releases = {
        version: {"digest": f"sha256:{digest}", "source": source, **_parts(parts, digest)}
        for version, (digest, source) in sorted(
            digests.items(), key=lambda item: parse_version(item[0])
        )
    }
    return {
        _OUTPUT / "keys.json.gz": gzip.compress(keys, mtime=0),
        _OUTPUT / "official.json": (json.dumps(releases, indent=1) + "\n").encode(),
    }


def _parts(known: dict[str, dict[str, str]], digest: str) -> dict[str, dict[str, str]]:
    parts = known.get(f"sha256:{digest}")
    return {"parts": parts} if parts else {}


def _archives(folder: Path) -> list[ChartArchive]:
    charts = [open_chart(path) for path in sorted(folder.glob("*.tgz"))]
    versions = [chart.version for chart in charts]
    twice = sorted({version for version in versions if versions.count(version) > 1})
    if twice:
        sys.exit(f"several archives of one version: {', '.join(twice)}")
    return sorted(charts, key=lambda chart: parse_version(chart.version))


def _content(data: bytes) -> bytes:
    """What counts: compressed bytes differ between versions of zlib."""
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def main() -> int:
    folder, *options = sys.argv[1:] or sys.exit(__doc__)
    stale = [
        path
        for path, data in made(_archives(Path(folder).expanduser())).items()
        if not path.exists() or _content(path.read_bytes()) != _content(data)
        for _ in ["--check" in options or path.write_bytes(data)]
    ]
    for path in stale:
        print(f"{path}: {'differs' if '--check' in options else 'written'}")
    return 1 if stale and "--check" in options else 0


if __name__ == "__main__":
    sys.exit(main())

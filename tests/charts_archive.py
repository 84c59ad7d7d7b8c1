"""Packs the stand-in chart as Helm would, byte for byte the same every time."""

import gzip
import io
import tarfile
from pathlib import Path

CHART = Path(__file__).parent / "charts" / "airflow"


def stand_in_archive(directory: Path) -> Path:
    """The stand-in chart as directory/airflow-1.22.0.tgz."""
    target = directory / "airflow-1.22.0.tgz"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(CHART.rglob("*")):
            if path.is_file():
                archive.addfile(*_entry(path))
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return target


def _entry(path: Path) -> tuple[tarfile.TarInfo, io.BytesIO]:
    content = path.read_bytes()
    entry = tarfile.TarInfo(f"airflow/{path.relative_to(CHART).as_posix()}")
    entry.size = len(content)
    return entry, io.BytesIO(content)

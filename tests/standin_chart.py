"""Packs the stand-in chart as Helm would, byte for byte the same every time."""

from pathlib import Path

from generator.chart.archive import pack

CHART = Path(__file__).parent / "charts" / "airflow"


def stand_in_archive(directory: Path) -> Path:
    """The stand-in for the official chart, as directory/airflow-1.22.0.tgz."""
    files = {
        path.relative_to(CHART).as_posix(): path.read_bytes()
        for path in CHART.rglob("*")
        if path.is_file()
    }
    target = directory / "airflow-1.22.0.tgz"
    target.write_bytes(pack("airflow", files))
    return target

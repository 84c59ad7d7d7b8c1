"""What is installed: both packages whole, the data that they read, and the commands."""

import pkgutil
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

import generator
import service
from generator.tree import scaffold

ROOT = Path(__file__).parents[1]
DATA = {
    "generator/airflow/migrations.json",
    "generator/airflow/options.json",
    "generator/py.typed",
    "generator/report/assets/page.css",
    "generator/report/assets/page.js",
    "service/py.typed",
    "service/web/static/dashboard.css",
    "service/web/templates/overview.html",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(path) as archive:
        yield archive


def modules(package):
    """The files of a package and of every module below it."""
    yield f"{package.__name__}/__init__.py"
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        path = found.name.replace(".", "/")
        yield f"{path}/__init__.py" if found.ispkg else f"{path}.py"


@pytest.mark.parametrize("package", [generator, service], ids=lambda package: package.__name__)
def test_every_module_is_in_the_wheel(wheel, package):
    expected = set(modules(package))
    assert len(expected) > 80
    assert expected - set(wheel.namelist()) == set()


def test_data_files_are_in_the_wheel(wheel):
    assert DATA - set(wheel.namelist()) == set()


def test_the_templates_are_in_the_wheel_where_the_installed_package_looks_for_them(wheel):
    source = scaffold.templates()
    expected = {
        f"generator/templates/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.is_file()
    }
    assert "generator/templates/environment/cookiecutter.json" in expected
    assert expected - set(wheel.namelist()) == set()


def test_nothing_but_the_two_packages_is_installed(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"generator", "service"}


def test_the_wheel_brings_both_commands(wheel):
    (entry,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    lines = wheel.read(entry).decode().splitlines()
    assert "gen-env = generator.cli.main:run" in lines
    assert "gen-env-service = service.cli.main:run" in lines

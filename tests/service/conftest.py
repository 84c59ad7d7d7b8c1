"""A PostgreSQL server for all tests of a run, and a database of its own for each."""

import pytest

from service.store import tables
from tests import postgresql as server_programs


@pytest.fixture(autouse=True)
def _no_definitions(monkeypatch):
    """What a check of the service says does not depend on what this machine has."""
    monkeypatch.delenv("GEN_ENV_CRDS", raising=False)


@pytest.fixture(scope="session")
def postgresql_server():
    """The URL of a server, without a database's name; skips where no server is installed."""
    with server_programs.server() as url:
        yield url


@pytest.fixture
def postgresql(postgresql_server):
    """The URL of an empty database."""
    with server_programs.fresh_database(postgresql_server, "fresh") as url:
        yield url


@pytest.fixture
def ascii_url(postgresql_server):
    """The URL of a database whose text has no encoding."""
    options = "encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0"
    with server_programs.fresh_database(postgresql_server, "ascii", options) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    """A database with our tables, of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/x.sqlite"
        tables.prepare_file(url)
    else:
        url = request.getfixturevalue("postgresql")
    made = tables.engine(url)
    tables.metadata.create_all(made)
    yield made
    made.dispose()

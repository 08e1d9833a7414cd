"""A PostgreSQL server for the tests of shared jobs."""

from collections.abc import Iterator

import fleet
import psycopg
import pytest


@pytest.fixture(scope="session")
def server() -> Iterator[fleet.Postgres]:
    """A server on this machine, which whoever stops it starts again."""
    try:
        with fleet.postgres() as running:
            yield running
    except fleet.NotHere as error:
        pytest.skip(str(error))


@pytest.fixture
def url(server: fleet.Postgres) -> str:
    """The address of a database without tables."""
    with psycopg.connect(server.url, autocommit=True) as db:
        db.execute("DROP SCHEMA IF EXISTS mizzle CASCADE")
    return server.url

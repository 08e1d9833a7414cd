"""The tables of jobs. SQLite and PostgreSQL differ in the names of three types.

In `heads`, `about` and `basis` are the two columns of `rows.ResultHeader`: its fields, and its fingerprint.
"""

from typing import NamedTuple


class Types(NamedTuple):
    """What one database calls things.

    Attributes:
        key: of a row, counted up and never used again.
        reference: to such a key.
        blob, real: bytes, and a float64.
        options, ordered: behind a table, and behind one that is kept in the order of its key.
    """

    key: str
    reference: str
    blob: str
    real: str
    options: str
    ordered: str


SQLITE = Types(
    "INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER", "BLOB", "REAL", " STRICT", " STRICT, WITHOUT ROWID"
)
POSTGRES = Types(
    "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "BIGINT", "BYTEA", "DOUBLE PRECISION", "", ""
)
VERSION = 1
_TABLES = """
CREATE TABLE jobs (
  number {key}, owner TEXT NOT NULL, id TEXT NOT NULL, digest {blob} NOT NULL,
  what TEXT NOT NULL, state TEXT NOT NULL, pairs INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 1,
  created {real} NOT NULL, started {real}, ended {real}, error TEXT, UNIQUE (owner, id)){options};
CREATE TABLE inputs (
  job {reference} PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, media TEXT NOT NULL, query TEXT NOT NULL,
  body {blob} NOT NULL){options};
CREATE TABLE heads (
  job {reference} PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, about TEXT NOT NULL,
  basis TEXT NOT NULL){options};
CREATE TABLE answers (
  job {reference} NOT NULL REFERENCES jobs ON DELETE CASCADE, x INTEGER NOT NULL, y INTEGER NOT NULL,
  numbers {blob}, n INTEGER NOT NULL, dim_x INTEGER NOT NULL, dim_y INTEGER NOT NULL,
  in_range INTEGER NOT NULL, warnings TEXT NOT NULL, notes TEXT NOT NULL, error TEXT,
  dropped INTEGER NOT NULL,
  PRIMARY KEY (job, x, y)){ordered};
"""
# Which replica runs a job, and until when it is believed to.
_LEASES = """
CREATE TABLE leases (
  job {reference} PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, holder TEXT NOT NULL,
  expires {real} NOT NULL);
"""


def statements(types: Types, *, leases: bool) -> list[str]:
    """Return what creates the tables of a database, with those of `leases` where replicas share it."""
    text = (_TABLES + (_LEASES if leases else "")).format(**types._asdict())
    return text.strip().split(";")[:-1]

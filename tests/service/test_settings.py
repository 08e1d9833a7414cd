"""Settings that have a new name answer to the old one for one version."""

import pytest

from mizzle.errors import InvalidInput
from mizzle.service.settings import Settings, read, unknown_variables

OLD, NEW = "MIZZLE_PROOF_SECONDS", "MIZZLE_HEALTH_TTL_SECONDS"


@pytest.mark.parametrize("way", ["environment", "argument"])
def test_the_old_name_still_works(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "environment":
        monkeypatch.setenv(OLD, "7")
    with pytest.warns(DeprecationWarning, match="proof_seconds is now health_ttl_seconds"):
        settings = Settings.model_validate({"proof_seconds": 7} if way == "argument" else {})
    assert settings.health_ttl_seconds == 7.0


def test_the_new_name_stands_above_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "7")
    monkeypatch.setenv(NEW, "8")
    with pytest.warns(DeprecationWarning, match="is now"):
        assert Settings().health_ttl_seconds == 8.0


def test_the_new_name_alone_is_no_cause_for_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NEW, "8")
    assert Settings().health_ttl_seconds == 8.0
    assert unknown_variables() == []


def test_whoever_runs_the_service_reads_of_the_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "7")
    assert unknown_variables() == [f"{OLD} is now {NEW}"]


@pytest.mark.filterwarnings("ignore:proof_seconds is now")
def test_a_bad_value_is_refused_under_the_name_that_it_came_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OLD, "-1")
    with pytest.raises(InvalidInput, match=f"setting {OLD}: "):
        read()

"""The part of a pod that docs/service.md shows names settings, paths and times that there are."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mizzle.service.app import PROBES
from mizzle.service.settings import Settings

KINDS = ("startupProbe", "readinessProbe", "livenessProbe")


@pytest.fixture(scope="module")
def pod(root: Path) -> dict[str, Any]:
    [shown] = re.findall(r"^```yaml\n(.*?)^```", (root / "docs" / "service.md").read_text(), re.DOTALL | re.M)
    found: dict[str, Any] = yaml.safe_load(shown)
    return found


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    return dict(found)


def test_probes_are_asked_where_they_are_and_under_any_name(container: dict[str, Any]) -> None:
    asked = [container[kind]["httpGet"] for kind in KINDS]
    assert {one["path"] for one in asked} <= set(PROBES)
    assert all(set(one) == {"path", "port"} for one in asked)


def test_the_ports_are_the_services(container: dict[str, Any]) -> None:
    """Probes are asked on the listener that answers through any flood."""
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": Settings().port, "probes": Settings().bound_admin_port}
    assert {container[kind]["httpGet"]["port"] for kind in KINDS} == {"probes"}


def test_settings_are_read(container: dict[str, Any]) -> None:
    names = {one["name"] for one in container["env"]}
    assert names <= {f"MIZZLE_{field.upper()}" for field in Settings.model_fields}


def test_a_service_does_not_set_settings(pod: dict[str, Any]) -> None:
    """Its name in capitals and _PORT is a variable of every pod beside it."""
    assert pod["enableServiceLinks"] is False


def test_there_is_time(pod: dict[str, Any], container: dict[str, Any]) -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert pod["terminationGracePeriodSeconds"] > defaults["drain_seconds"] + defaults["grace_seconds"]
    assert container["readinessProbe"]["timeoutSeconds"] > defaults["probe_seconds"]


def test_what_is_mounted_is_a_volume(pod: dict[str, Any], container: dict[str, Any]) -> None:
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    [keys] = [one["value"] for one in container["env"] if one["name"] == "MIZZLE_KEYS_FILE"]
    assert str(Path(keys).parent) in {mount["mountPath"] for mount in container["volumeMounts"]}

"""What compose.yaml must hold every service to, and what it says about ours."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mizzle.service.settings import Settings

SERVICES = ("mizzle", "mizzle-gpu", "prometheus", "grafana")
OURS = SERVICES[:2]
PUBLISHED = {"mizzle": 8000, "mizzle-gpu": 8000, "grafana": 3000}


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"][request.param]
    return found | {"name": request.param}


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)s", text)
    assert found, text
    return int(found[1])


def test_every_service_is_held_to_the_laws_here(compose: dict[str, Any]) -> None:
    assert sorted(compose["services"]) == sorted(SERVICES)


def test_nobody_has_privileges(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc"} & set(service)


def test_files_of_this_machine_cannot_be_changed(service: dict[str, Any]) -> None:
    for volume in service.get("volumes", []):
        assert not volume.startswith(".") or volume.endswith(":ro"), volume


def test_there_is_a_place_to_write_that_is_bounded(service: dict[str, Any]) -> None:
    (tmpfs,) = service["tmpfs"]
    assert re.match(r"/tmp:size=\d+m,", tmpfs)


def test_everybody_has_limits(service: dict[str, Any]) -> None:
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_everybody_has_a_health_check_without_a_shell(service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert _seconds(check["timeout"]) < _seconds(check["interval"])


def test_images_are_pinned_or_built_here(service: dict[str, Any]) -> None:
    tag = service["image"].partition(":")[2]
    assert "build" in service or re.fullmatch(r"v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", tag)


def test_ports_are_published_to_this_machine_alone(service: dict[str, Any]) -> None:
    """And only those of who is asked by people."""
    inside = [re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:(\d+)", port) for port in service.get("ports", [])]
    assert [int(found[1]) for found in inside if found] == [
        PUBLISHED[name] for name in PUBLISHED if name == service["name"]
    ]
    assert all(inside)


def test_prometheus_has_no_way_out(compose: dict[str, Any]) -> None:
    assert compose["services"]["prometheus"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_read(compose: dict[str, Any], name: str) -> None:
    environment = compose["services"][name]["environment"]
    assert set(environment) <= {f"MIZZLE_{field.upper()}" for field in Settings.model_fields}
    assert "MIZZLE_INSECURE" not in environment


@pytest.mark.parametrize("name", OURS)
def test_keys_are_a_secret(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    (secret,) = service["secrets"]
    assert service["environment"]["MIZZLE_KEYS_FILE"] == f"/run/secrets/{secret}"
    assert compose["secrets"][secret]["file"].startswith("./deploy/secrets/")


@pytest.mark.parametrize("name", OURS)
def test_there_is_time_to_stop(compose: dict[str, Any], name: str) -> None:
    """Above the drain and the grace, so that nothing accepted is lost to SIGKILL."""
    defaults = Settings.model_fields
    needed = defaults["drain_seconds"].default + defaults["grace_seconds"].default
    assert _seconds(compose["services"][name]["stop_grace_period"]) > needed


def test_the_gpu_is_asked_for_on_demand_and_by_one_service(compose: dict[str, Any]) -> None:
    services = compose["services"]
    asking = [name for name in services if "reservations" in services[name]["deploy"]["resources"]]
    assert asking == [name for name in services if "profiles" in services[name]] == ["mizzle-gpu"]
    assert services["mizzle-gpu"]["build"]["args"] == {"TORCH_BACKEND": ""}


def test_both_of_ours_answer_to_one_name(compose: dict[str, Any]) -> None:
    """The one that Prometheus asks for."""
    assert compose["services"]["mizzle-gpu"]["networks"]["inside"]["aliases"] == ["mizzle"]
    for name in OURS:
        assert compose["services"][name]["environment"]["MIZZLE_HOSTS"].split(",")[0] == "mizzle"


def test_prometheus_asks_where_the_service_is(root: Path, compose: dict[str, Any]) -> None:
    scraped = yaml.safe_load((root / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"mizzle:{Settings.model_fields['port'].default}"]}]
    assert "./deploy/prometheus:/etc/prometheus:ro" in compose["services"]["prometheus"]["volumes"]


def test_secrets_stay_out_of_the_repository(root: Path, compose: dict[str, Any]) -> None:
    ignored = (root / "deploy" / "secrets" / ".gitignore").read_text().split()
    assert ignored == ["*", "!.gitignore"]
    for secret in compose["secrets"].values():
        assert (root / secret["file"]).parent == root / "deploy" / "secrets"

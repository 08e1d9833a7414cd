"""Alerts, dashboard and provisioning speak of metrics, labels and addresses that exist."""

import itertools
import json
import os
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import promql
import pytest
import yaml

from mizzle import wire
from mizzle.service.telemetry.instruments import WithoutCreated
from mizzle.service.telemetry.metrics import Metrics, render
from mizzle.types import ModelInfo

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY.parent / "compose.yaml").read_text())["services"]
PROMETHEUS = DEPLOY / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
RULE_TESTS = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
SCRAPE = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
DASHBOARD = json.loads((DEPLOY / "grafana" / "mizzle.json").read_text())
PROVISIONING = DEPLOY / "grafana" / "provisioning"
[SOURCE] = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())["datasources"]
[PROVIDER] = yaml.safe_load((PROVISIONING / "dashboards" / "mizzle.yml").read_text())["providers"]

PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [target for panel in PANELS for target in panel["targets"]]
QUERIES = [target["expr"] for target in TARGETS]
ALERTS = [rule["expr"] for rule in RULES]
SERIES = [series["series"] for test in RULE_TESTS for series in test["input_series"]]
OF_PROMETHEUS = {"instance", "job"}  # labels that it adds
OF_REQUESTS = {"route", "method", "status"}  # labels whose values come with the requests


def _exposed():
    """The values of every label of every series."""
    metrics = Metrics()
    metrics.model(ModelInfo("base", "1.0", "ab" * 32), "cpu", 1)
    metrics.watch_worker(os.getpid)
    metrics.watch_queue(lambda lane: (0, 0, 0.0), lambda: 0)
    metrics.request(wire.PATH, "POST", "200", 0.1)
    found: dict[str, dict[str, set[str]]] = {"up": {}}
    told = WithoutCreated(metrics.registry).collect()
    for sample in (sample for metric in told for sample in metric.samples):
        labels = found.setdefault(sample.name, defaultdict(set))
        for label, value in sample.labels.items():
            labels[label].add(value)
    return found


EXPOSED = _exposed()


def _base(name):
    return re.sub(r"_(bucket|sum|count|total)$", "", name)


@pytest.mark.parametrize("expression", [*QUERIES, *ALERTS, *SERIES])
def test_expressions_select_what_exists(expression) -> None:
    selectors, grouping = promql.read(expression)
    assert selectors
    for name, matchers in selectors:
        assert name in EXPOSED
        for label, how, value in matchers:
            assert label in {*EXPOSED[name], *OF_PROMETHEUS}
            known = EXPOSED[name].get(label, ())
            if label in {*OF_PROMETHEUS, *OF_REQUESTS}:
                continue
            wanted = value.split("|") if "~" in how else [value]
            assert set(wanted) <= known
    assert grouping <= OF_PROMETHEUS.union(*(EXPOSED[name] for name, _ in selectors))


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {_base(selector.name) for query in QUERIES for selector in promql.read(query).selectors}
    own = {_base(name) for name in EXPOSED if name.startswith("mizzle_")}
    rest = {f"mizzle_worker_process_{what}" for what in ("open_fds", "max_fds", "start_time_seconds")}
    assert own - shown == rest | {"mizzle_worker_process_virtual_memory_bytes"}


@pytest.mark.parametrize("expression", [*QUERIES, *ALERTS])
def test_shares_of_requests_leave_probes_out(expression) -> None:
    routes = [
        value
        for _, matchers in promql.read(expression).selectors
        for label, how, value in matchers
        if (label, how) == ("route", "=~")
    ]
    for pattern in routes:
        assert re.fullmatch(pattern, wire.PATH)
        assert re.fullmatch(pattern, wire.BATCH_PATH)
        assert re.fullmatch(pattern, "/v2/models/{name}/infer")
        assert not re.fullmatch(pattern, wire.READY)
        assert not re.fullmatch(pattern, "/v2/health/ready")


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["expr"])
def test_legends_name_labels_that_are_left(target) -> None:
    selectors, grouping = promql.read(target["expr"])
    left = grouping if "sum" in target["expr"] or " by " in target["expr"] else OF_PROMETHEUS
    assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= left
    assert selectors


def test_panels_are_complete_and_apart() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    cells: dict[tuple[int, int], int] = defaultdict(int)
    for panel in DASHBOARD["panels"]:
        box = panel["gridPos"]
        assert 0 <= box["x"] <= box["x"] + box["w"] <= 24
        for cell in itertools.product(range(box["w"]), range(box["h"])):
            cells[box["x"] + cell[0], box["y"] + cell[1]] += 1
    assert set(cells.values()) == {1}
    for panel in PANELS:
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == SOURCE["uid"]
        assert all(target["datasource"]["uid"] == SOURCE["uid"] for target in panel["targets"])


def test_the_dashboard_has_its_rows() -> None:
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Traffic", "Latency", "Queue", "Batches", "Worker", "Process"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alerts_say_how_urgent_and_what_to_do(rule) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert "{{ $labels.instance }}" in rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_is_tested_to_fire_and_to_wait(rule) -> None:
    cases = [case for test in RULE_TESTS for case in test["promql_expr_test"]]
    ours = [case for case in cases if f'"{rule["alert"]}"' in case["expr"]]
    assert [bool(case["exp_samples"]) for case in ours] == [False, True]


def test_addresses_are_those_of_the_compose_file() -> None:
    [scrape] = SCRAPE
    [[target]] = [config["targets"] for config in scrape["static_configs"]]
    host, port = target.split(":")
    service = COMPOSE[host]
    assert any(published.endswith(f":{port}") for published in service["ports"])
    assert host in service["environment"]["MIZZLE_HOSTS"].split(",")
    assert scrape["metrics_path"] == "/metrics"
    assert SOURCE["url"] == "http://prometheus:9090"
    assert "prometheus" in COMPOSE


def test_mounts_are_those_of_the_compose_file() -> None:
    mounts = {mount.split(":")[1]: mount.split(":")[0] for mount in COMPOSE["grafana"]["volumes"]}
    assert mounts[PROVIDER["options"]["path"]] == "./deploy/grafana"
    assert mounts["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    assert "./deploy/prometheus:/etc/prometheus:ro" in COMPOSE["prometheus"]["volumes"]


@pytest.fixture
def promtool():
    """Runs promtool, which must be content."""
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is missing: apt-get install --no-install-recommends prometheus")

    def run(*arguments, given=b"") -> None:
        done = subprocess.run([path, *map(str, arguments)], input=given, capture_output=True, check=False)
        assert done.returncode == 0, (done.stdout + done.stderr).decode()

    return run


def test_promtool_takes_the_configuration(promtool) -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_promtool_takes_the_alerts(promtool) -> None:
    promtool("check", "rules", PROMETHEUS / "alerts.yml")


def test_alerts_fire_when_they_should(promtool) -> None:
    promtool("test", "rules", PROMETHEUS / "alerts_test.yml")


def test_promtool_takes_the_metrics(promtool) -> None:
    metrics = Metrics()
    metrics.request(wire.PATH, "POST", "200", 0.1)
    promtool("check", "metrics", given=render(metrics)[0])


def test_promtool_takes_the_queries_of_the_dashboard(promtool, tmp_path: Path) -> None:
    filled = [query.replace("$instance", ".*").replace("$__rate_interval", "5m") for query in QUERIES]
    rules = [{"record": f"query:{i}", "expr": query} for i, query in enumerate(filled)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", file)

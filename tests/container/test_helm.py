"""The Helm chart, rendered by Helm itself: sound for Kubernetes, hardened, about settings that there are."""

import functools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mizzle.service.settings import Settings
from mizzle.version import __version__

chart = pytest.importorskip("helm_python.chart", reason="pip install helm-python-sdk, which renders charts")
validator = pytest.importorskip(
    "kubernetes_validate", reason="pip install kubernetes-validate, for its schemas"
)

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "mizzle"
READY = sorted(path.name for path in CHART.glob("values-*.yaml"))
OLDEST, NEWEST = "1.27", validator.latest_version()  # that Chart.yaml takes, and that is known
FULL = {
    "jobs": {"enabled": True},
    "serviceMonitor": {"enabled": True},
    "autoscaling": {"queue": "adapter"},
    "networkPolicy": {"database": [{"ipBlock": {"cidr": "10.0.0.5/32"}}]},
    "image": {"pullSecrets": [{"name": "registry"}]},
    "hosts": ["mi.example"],
}
LOADS = {
    **{name: yaml.safe_load((CHART / name).read_text()) for name in READY},
    "default": {},
    "full": FULL,
    "keda": {"autoscaling": {"queue": "keda"}},
    "ray of gpus": {"kind": "ray", "device": "cuda", "jobs": {"enabled": True}},
}
DEPLOYMENTS = [name for name, values in LOADS.items() if values.get("kind", "deployment") == "deployment"]
OTHERS = {"InferenceService", "RayService", "ServiceMonitor", "ScaledObject"}  # of operators
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}

Object = dict[str, Any]


def rendered(values: Object) -> dict[str, Object]:
    """The objects that Helm makes of values, by kind and name."""
    found: dict[str, Object] = _rendered(json.dumps(values))
    return found


@functools.cache
def _rendered(values: str) -> dict[str, Object]:
    with chart.Chart.load(str(CHART)) as loaded:
        files = loaded.render(json.loads(values), name="mi", namespace="science")
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    objects = [found for text in texts for found in documents(text)]
    return {f"{found['kind']} {found['metadata']['name']}": found for found in objects}


def documents(text: str) -> list[Object]:
    return [found for found in yaml.safe_load_all(text) if found]


def pods(objects: dict[str, Object]) -> dict[str, Object]:
    """The specifications of all pods, by what makes them."""
    found = {}
    for name, content in objects.items():
        spec = content["spec"]
        if content["kind"] == "Deployment":
            found[name] = spec["template"]["spec"]
        elif content["kind"] == "InferenceService":
            own = {"minReplicas", "maxReplicas"}
            found[name] = {key: value for key, value in spec["predictor"].items() if key not in own}
        elif content["kind"] == "RayService":
            cluster = spec["rayClusterConfig"]
            groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
            found |= {f"{name} {i}": group["template"]["spec"] for i, group in enumerate(groups)}
    return found


def serving(objects: dict[str, Object]) -> Object:
    """The container that has the settings."""
    [found] = [one for pod in pods(objects).values() for one in pod["containers"] if "env" in one]
    return dict(found)


def environment(objects: dict[str, Object]) -> dict[str, Any]:
    return {one["name"]: one.get("value", one.get("valueFrom")) for one in serving(objects)["env"]}


@pytest.mark.parametrize("name", LOADS)
def test_kubernetes_takes_every_object(name: str) -> None:
    """By its own schemas, without unknown fields; of what operators define, the pods in it."""
    objects = rendered(LOADS[name])
    assert objects
    version = OLDEST if name in ("full", "keda") else NEWEST
    for found in objects.values():
        if found["kind"] not in OTHERS:
            validator.validate(found, version, strict=True)
        elif found["kind"] in ("InferenceService", "RayService"):
            for spec in pods({"": found}).values():
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": spec}
                validator.validate(pod, version, strict=True)


@pytest.mark.parametrize("name", LOADS)
def test_pods_are_hardened(name: str) -> None:
    for spec in pods(rendered(LOADS[name])).values():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 65532  # the user of the Dockerfile
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["enableServiceLinks"] is False
        volumes = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes
            assert {"cpu", "memory"} <= container["resources"]["limits"].keys()


@pytest.mark.parametrize("name", LOADS)
def test_settings_are_read_and_keys_are_asked_for(name: str) -> None:
    told = environment(rendered(LOADS[name]))
    assert {one.removeprefix("MIZZLE_").lower() for one in told} <= Settings.model_fields.keys()
    assert told["MIZZLE_KEYS_FILE"] == "/run/secrets/mizzle/keys"
    assert "MIZZLE_INSECURE" not in told
    known: dict[str, Any] = {
        key.removeprefix("MIZZLE_").lower(): value for key, value in told.items() if isinstance(value, str)
    }
    Settings(**known)


@pytest.mark.parametrize("name", [name for name, values in LOADS.items() if values.get("kind") != "ray"])
def test_probes_ask_the_listener_that_always_answers_and_there_is_time(name: str) -> None:
    objects = rendered(LOADS[name])
    container = serving(objects)
    for kind, path in (("startup", "/startupz"), ("readiness", "/readyz"), ("liveness", "/livez")):
        assert container[f"{kind}Probe"]["httpGet"] == {"path": path, "port": Settings().bound_admin_port}
    assert container["readinessProbe"]["timeoutSeconds"] > DEFAULTS["probe_seconds"]
    [spec] = pods(objects).values()
    assert spec["terminationGracePeriodSeconds"] > DEFAULTS["drain_seconds"] + DEFAULTS["grace_seconds"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_services_and_policies_select_the_pods(name: str) -> None:
    objects = rendered(LOADS[name])
    [(key, deployment)] = [(key, found) for key, found in objects.items() if found["kind"] == "Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    ports = {port["name"] for port in serving(objects)["ports"]}
    for found in objects.values():
        spec = found["spec"]
        if found["kind"] == "Service":
            assert spec["selector"].items() <= labels
            assert {port["targetPort"] for port in spec["ports"]} <= ports
        elif found["kind"] in ("PodDisruptionBudget", "NetworkPolicy", "Deployment"):
            selector = spec.get("selector", spec.get("podSelector"))
            assert selector["matchLabels"].items() <= labels
        elif found["kind"] in ("HorizontalPodAutoscaler", "ScaledObject"):
            assert spec["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
            assert "replicas" not in deployment["spec"]  # or every upgrade would undo what was scaled
        elif found["kind"] == "ServiceMonitor":
            matched = spec["selector"]["matchLabels"].items()
            services = [one for one in objects.values() if one["kind"] == "Service"]
            assert [matched <= one["metadata"]["labels"].items() for one in services].count(True) == 1
    assert key


def test_what_is_rendered_of_each_kind() -> None:
    kinds = {
        name: sorted(found["kind"] for found in rendered(values).values()) for name, values in LOADS.items()
    }
    usual = ["Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service"]
    assert kinds == {
        "default": usual,
        "values-gpu.yaml": usual,
        "full": sorted([*usual, "Service", "ServiceMonitor"]),
        "keda": sorted({*usual, "ScaledObject"} - {"HorizontalPodAutoscaler"}),
        "values-single-node.yaml": ["Deployment", "NetworkPolicy", "Service"],
        "values-kserve.yaml": ["InferenceService"],
        "values-ray.yaml": ["RayService"],
        "ray of gpus": ["RayService"],
    }


def test_jobs_are_in_the_database_of_the_secret_and_the_policy_lets_them_out() -> None:
    objects = rendered(FULL)
    assert environment(objects)["MIZZLE_JOBS_URL"] == {"secretKeyRef": {"name": "mizzle-jobs", "key": "url"}}
    assert objects["NetworkPolicy mi-mizzle"]["spec"]["egress"][1]["to"] == [
        {"ipBlock": {"cidr": "10.0.0.5/32"}}
    ]
    closed = rendered({})
    assert closed["NetworkPolicy mi-mizzle"]["spec"]["egress"] == []
    assert not {"MIZZLE_JOBS_URL", "MIZZLE_JOBS_LEASE_SECONDS"} & environment(closed).keys()


def test_a_gpu_is_asked_for_where_the_model_runs() -> None:
    for name in ("values-gpu.yaml", "ray of gpus"):
        objects = rendered(LOADS[name])
        assert serving(objects)["resources"]["limits"]["nvidia.com/gpu"] == 1
        assert environment(objects)["MIZZLE_DEVICE"] == "cuda"
    config = rendered(LOADS["ray of gpus"])["RayService mi-mizzle"]["spec"]["serveConfigV2"]
    [application] = yaml.safe_load(config)["applications"]
    assert application["deployments"][0]["ray_actor_options"] == {"num_cpus": 2, "num_gpus": 1}


def test_callers_may_use_the_names_of_the_service() -> None:
    for name, service in (("default", "mi-mizzle"), ("values-kserve.yaml", "mi-mizzle-predictor")):
        hosts = environment(rendered(LOADS[name]))["MIZZLE_HOSTS"].split(",")
        assert hosts == [
            service + end for end in ("", ".science", ".science.svc", ".science.svc.cluster.local")
        ]
    assert environment(rendered(FULL))["MIZZLE_HOSTS"].endswith(",mi.example")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"kind": "statefulset"}, "kind"),
        ({"settings": {"MIZZLE_THREADS": 1}}, "MIZZLE_THREADS"),
        ({"replica": 3}, "replica"),
        ({"replicas": 0}, "replicas"),
        ({"autoscaling": {"queue": "prometheus"}}, "queue"),
        ({"autoscaling": {"minReplicas": 9}}, "autoscaling.minReplicas is more than autoscaling.maxReplicas"),
        ({"keys": {"secret": ""}}, "secret"),
    ],
)
def test_values_that_cannot_be_are_told(values: Object, text: str) -> None:
    with pytest.raises(Exception, match=re.escape(text)):
        rendered(values)


def test_the_chart_is_sound_and_of_this_version() -> None:
    for name in ("default", *READY):
        told = chart.lint(str(CHART), LOADS[name])
        assert [one for one in told["messages"] if one["severity"] > 1] == []  # what is more than advice
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == __version__


def test_what_pods_ask_for_is_what_was_measured() -> None:
    """The figures in the comment are those of the results that it names."""
    text = (CHART / "values.yaml").read_text()
    results = CHART.parents[2] / "benchmarks" / "results"
    load, attack = (
        json.loads((results / name).read_text()) for name in re.findall(r"[a-z]+-[\d-]+\.json", text)
    )
    assert int(re.findall(r"answer (\d+)", text)[0]) == math.floor(load["http_rate"])
    peak = max(one["figures"].get("peak_mib", 0) for one in attack["attacks"] if one["part"] == 1)
    assert int(re.findall(r"(\d+) MiB", text)[0]) == round(peak)
    assert yaml.safe_load(text)["resources"]["requests"]["cpu"] == str(load["machine"]["cores"])

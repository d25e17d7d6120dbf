"""`deploy/kubernetes`: manifests of the right shape, in accord with the server and the image."""

import re
from typing import Any

import pytest
import yaml

from app.__main__ import GRACE_SECONDS
from app.main import VERSION, create_app
from app.settings import ROOT, Settings, unknown_variables
from tests.deploy.schemas import MISSING

Manifest = dict[str, Any]

MANIFESTS: dict[str, Manifest] = {
    f"{file.stem}-{manifest['kind']}": manifest
    for file in sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text())
}
DEPLOYMENT = MANIFESTS["explorer-Deployment"]["spec"]
POD = DEPLOYMENT["template"]["spec"]
(CONTAINER,) = POD["containers"]
RAY = MANIFESTS["rayservice-RayService"]["spec"]
CLUSTER = RAY["rayClusterConfig"]
PODS = {"explorer": POD} | {
    group.get("groupName", "head"): group["template"]["spec"]
    for group in (CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"])
}
AUTOSCALERS = [value for name, value in MANIFESTS.items() if name.startswith("scale-")]

each_pod = pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
each_autoscaler = pytest.mark.parametrize("autoscaler", AUTOSCALERS, ids=["on cpu", "on streams"])


def environment(pod: Manifest) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}


def settings() -> Settings:
    return Settings.read(environment(POD))


@pytest.mark.parametrize("name", [name for name in MANIFESTS if "RayService" not in name])
def test_a_manifest_has_the_shape_that_kubernetes_publishes(name: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason=MISSING)
    newest = kubernetes_validate.latest_version()
    assert kubernetes_validate.validate(MANIFESTS[name], newest, strict=True)


@each_pod
def test_every_variable_is_a_setting_and_its_value_can_work(pod: Manifest) -> None:
    assert unknown_variables(environment(pod)) == []
    Settings.read(environment(pod))


@each_pod
def test_nobody_in_a_pod_can_become_more_than_the_user_of_the_image(pod: Manifest) -> None:
    user = f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert re.findall(r"^USER (.+)$", (ROOT / "Dockerfile").read_text(), re.M)[-1] == user
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]]


@each_pod
def test_kubernetes_sets_no_variable_of_its_own_that_looks_like_a_setting(pod: Manifest) -> None:
    assert pod["enableServiceLinks"] is False


def test_the_image_has_the_version_of_the_server() -> None:
    images = {pod["containers"][0]["image"].removesuffix("-ray") for pod in PODS.values()}
    assert images == {f"latent-explorer:{VERSION}"}


def test_probes_ask_for_paths_that_the_server_has_at_its_port() -> None:
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == settings().port
    paths = create_app(settings()).openapi()["paths"]
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = CONTAINER[name]["httpGet"]
        assert probe["path"] in paths
        assert probe["port"] == port["name"]
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_service_policy_and_ingress_lead_to_that_port() -> None:
    (port,) = CONTAINER["ports"]
    service = MANIFESTS["explorer-Service"]
    assert [entry["targetPort"] for entry in service["spec"]["ports"]] == [port["name"]]
    (rule,) = MANIFESTS["explorer-NetworkPolicy"]["spec"]["ingress"]
    assert rule == {"ports": [{"port": port["name"]}]}
    (rule,) = MANIFESTS["ingress-Ingress"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["name"] == service["metadata"]["name"]
    assert backend["port"]["name"] == service["spec"]["ports"][0]["name"]
    assert rule["host"] in settings().allowed_hosts


def test_whatever_selects_pods_selects_these() -> None:
    labels = DEPLOYMENT["template"]["metadata"]["labels"]
    assert DEPLOYMENT["selector"]["matchLabels"] == labels
    assert MANIFESTS["explorer-Service"]["spec"]["selector"] == labels
    budget = MANIFESTS["explorer-PodDisruptionBudget"]["spec"]
    assert budget["selector"]["matchLabels"] == labels
    policy = MANIFESTS["explorer-NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels


def test_a_pod_that_ends_answers_until_all_have_heard_and_then_has_time_to_finish() -> None:
    readiness = CONTAINER["readinessProbe"]
    heard = readiness["periodSeconds"] * readiness["failureThreshold"]
    assert settings().drain_seconds > heard
    assert POD["terminationGracePeriodSeconds"] > settings().drain_seconds + GRACE_SECONDS


def test_the_proxy_waits_longer_for_a_stream_than_the_server_does() -> None:
    annotations = MANIFESTS["ingress-Ingress"]["metadata"]["annotations"]
    for direction in ("read", "send"):
        seconds = annotations[f"nginx.org/proxy-{direction}-timeout"]
        assert float(seconds.removesuffix("s")) > settings().stream_idle_seconds
    largest = annotations["nginx.org/client-max-body-size"]
    assert int(largest.removesuffix("m")) * 2**20 == settings().max_body_bytes
    assert annotations["nginx.org/websocket-services"] == "latent-explorer"


@each_autoscaler
def test_an_autoscaler_is_for_the_deployment_and_counts_what_there_is(
    autoscaler: Manifest,
) -> None:
    target = autoscaler["spec"]["scaleTargetRef"]
    deployment = MANIFESTS["explorer-Deployment"]
    assert target == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }
    assert "replicas" not in DEPLOYMENT, "each `apply` would undo what the autoscaler did"
    counted = (ROOT / "docs" / "operations.md").read_text()
    for metric in autoscaler["spec"]["metrics"]:
        if metric["type"] == "Pods":
            name = metric["pods"]["metric"]["name"]
            assert f"`{name}`" in counted
            assert int(metric["pods"]["target"]["averageValue"]) < settings().max_streams
        else:
            assert metric["resource"]["name"] in CONTAINER["resources"]["requests"]


def test_the_document_has_the_rule_by_which_kubernetes_knows_the_metric() -> None:
    (block,) = re.findall(
        r"```yaml\n(rules:.+?)```", (ROOT / "docs" / "scaling.md").read_text(), re.DOTALL
    )
    (rule,) = yaml.safe_load(block)["rules"]
    metrics = MANIFESTS["scale-on-streams-HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert rule["seriesQuery"].startswith(metrics[0]["pods"]["metric"]["name"] + "{")


def test_the_ray_cluster_asks_for_a_token_and_a_pinned_version() -> None:
    assert CLUSTER["authOptions"] == {"mode": "token"}
    assert f"\nray=={CLUSTER['rayVersion']}\n" in (ROOT / "constraints.txt").read_text()


def test_the_application_of_the_ray_cluster_is_there() -> None:
    (application,) = yaml.safe_load(RAY["serveConfigV2"])["applications"]
    module, _, name = application["import_path"].partition(":")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text()
    assert f"\ndef {name}(" in source
    for argument in application["args"]:
        assert f"\n    {argument}: " in source

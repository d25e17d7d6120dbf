"""`compose.yaml`: its mounts are there, its settings are settings, and nothing is opened wide."""

from typing import Any

import pytest
import yaml

from app.settings import ROOT, Settings, unknown_variables
from tests.deploy.schemas import complaints

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BUILT = {name: service for name, service in SERVICES.items() if "build" in service}

each_service = pytest.mark.parametrize("name", SERVICES)


def test_it_has_the_shape_that_compose_publishes() -> None:
    assert complaints("compose-spec", ROOT / "compose.yaml") == ""


@each_service
def test_a_service_can_do_little_and_is_reached_from_this_machine_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


@each_service
def test_what_a_service_mounts_is_in_the_repository_or_a_volume_and_cannot_be_written(
    name: str,
) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith("./"):
            assert (ROOT / source).exists()
            assert rest.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", BUILT)
def test_an_explorer_is_built_from_a_stage_there_is_and_given_settings_there_are(name: str) -> None:
    service = BUILT[name]
    assert f" AS {service['build']['target']}\n" in (ROOT / "Dockerfile").read_text()
    assert list(unknown_variables(service["environment"])) == []
    assert service["ports"][0].endswith(f":{Settings().port}")


def test_without_a_profile_the_explorer_alone_starts() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["explorer"]


def test_prometheus_scrapes_the_explorers_under_the_name_they_share_and_with_the_same_alerts() -> (
    None
):
    folder = ROOT / "deploy" / "prometheus"
    alone, here = (
        yaml.safe_load((folder / name).read_text()) for name in ("prometheus.yaml", "compose.yaml")
    )
    (job,) = here["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    host, _, port = target.partition(":")
    assert int(port) == Settings().port
    assert all(host in one["networks"]["default"]["aliases"] for one in BUILT.values())
    for config in (alone, here):
        del config["scrape_configs"][0]["static_configs"]
    assert here == alone


def test_grafana_finds_its_dashboard_and_its_source() -> None:
    mounted = {volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
    assert (
        SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in mounted
    )
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (provider,) = yaml.safe_load(
        (provisioning / "dashboards" / "latent-explorer.yaml").read_text()
    )["providers"]
    assert any(place.startswith(f"{provider['options']['path']}/") for place in mounted)
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    host = source["url"].removeprefix("http://").partition(":")[0]
    assert host in SERVICES

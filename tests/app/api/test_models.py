import hashlib
import json
from pathlib import Path

import httpx

from app.settings import ROOT, Settings
from model.card import GROUPS
from tests.app import untrained
from tests.app.conftest import Refused
from tests.app.live_server import DEFAULT, Serving, serving

FIELDS = ["id", "title", "summary", "group", "family", "dataset", "latent_dim", "image"]
FIELDS += ["likelihood", "beta", "planes", "metrics", "sha256"]


def test_the_list_holds_every_shipped_model_with_the_default_one_first(api: httpx.Client) -> None:
    answer = api.get("models").json()
    shipped = {card.parent.name for card in (ROOT / "checkpoints").glob("*/card.json")}
    assert answer["default"] == DEFAULT == answer["models"][0]["id"]
    assert {card["id"] for card in answer["models"]} == shipped
    assert answer["device"] == "cpu" or answer["device"].startswith(("cuda:", "mps"))
    assert set(answer) == {"default", "device", "groups", "models"}


def test_a_card_says_what_its_checkpoint_says(api: httpx.Client) -> None:
    for card in api.get("models").json()["models"]:
        folder = ROOT / "checkpoints" / card["id"]
        stored = json.loads((folder / "card.json").read_text())
        assert list(card) == FIELDS
        stored.setdefault("image", {"height": 28, "width": 28, "channels": 1})
        assert card == {name: stored[name] for name in FIELDS}
        weights = (folder / "model.safetensors").read_bytes()
        assert card["sha256"] == hashlib.sha256(weights).hexdigest()
        assert api.get(f"models/{card['id']}").json() == card


def test_models_are_listed_by_what_they_teach_in_the_order_of_the_groups(api: httpx.Client) -> None:
    answer = api.get("models").json()
    known = {group.id: (group.title, group.about) for group in GROUPS}
    shown = [group["id"] for group in answer["groups"]]
    assert shown == [name for name in known if name in shown]
    for group in answer["groups"]:
        assert (group["title"], group["about"]) == known[group["id"]]
        assert group["models"], "a heading with nothing under it is left out"
    listed = [(group["id"], name) for group in answer["groups"] for name in group["models"]]
    assert listed == [(card["group"], card["id"]) for card in answer["models"]]


def test_a_group_lists_the_default_model_then_others_by_their_weight_then_those_of_other_data(
    tmp_path: Path,
) -> None:
    untrained.write(tmp_path, "clothes", group="kl", dataset="fashion-mnist", beta=0.0)
    for name, beta in {"ladder-025": 0.25, "ladder-16": 16.0, "ladder-2": 2.0}.items():
        untrained.write(tmp_path, name, group="kl", beta=beta)
    untrained.write(tmp_path, "without", group="kl", beta=0.0)
    untrained.write(tmp_path, "the-default", group="kl")
    untrained.write(tmp_path, "first-group", group="map")
    settings = Settings(checkpoints=tmp_path, default_model="the-default")
    with serving(settings) as server, server.client() as client:
        groups = client.get("/api/v1/models").json()["groups"]
    assert [(group["id"], group["models"]) for group in groups] == [
        ("map", ["first-group"]),
        ("kl", ["the-default", "without", "ladder-025", "ladder-2", "ladder-16", "clothes"]),
    ]


def test_headings_of_ones_own_come_after_ours_under_their_own_text(tmp_path: Path) -> None:
    untrained.write(tmp_path, "of-mine", group="What I found in the attic")
    untrained.write(tmp_path, "of-ours", group="kl")
    settings = Settings(checkpoints=tmp_path, default_model="of-mine")
    with serving(settings) as server, server.client() as client:
        answer = client.get("/api/v1/models").json()
    assert [card["id"] for card in answer["models"]] == ["of-ours", "of-mine"]
    own = answer["groups"][-1]
    assert (own["title"], own["about"]) == ("What I found in the attic", "")


def test_an_unknown_model_is_refused_with_the_known_ones(
    api: httpx.Client, refused: Refused
) -> None:
    for path in ("", "/planes", "/codes", "/decode.png?z=0,0"):
        assert DEFAULT in refused(api.get(f"models/nobody{path}"), 404)
    for action in ("decode", "encode", "sample", "interpolate"):
        body: dict[str, object] = {"latents": [[0, 0]]} if action == "decode" else {}
        if action == "interpolate":
            body = {"start": {"latent": [0, 0]}, "end": {"latent": [0, 0]}}
        assert DEFAULT in refused(api.post(f"models/nobody/{action}", json=body), 404)


def test_the_api_leads_on_to_all_that_it_has() -> None:
    for root in ("", "/explorer"):
        settings = Settings(models=(DEFAULT,), root_path=root)
        with serving(settings) as server, server.client() as client:
            index = client.get(f"{root}/api/v1").json()
            assert index["version"] == client.get(f"{root}/openapi.json").json()["info"]["version"]
            for name in ("models", "datasets", "measures", "openapi", "docs"):
                assert index[name].startswith(f"{root}/")
                assert client.get(index[name]).is_success


def test_every_answer_of_a_model_carries_the_hash_of_its_weights(
    server: Serving, client: httpx.Client, api: httpx.Client
) -> None:
    latent = {"latents": [[0, 0]]}
    tensor = {"name": "latents", "datatype": "FP32", "shape": [1, 2], "data": [0, 0]}
    at = f"models/{DEFAULT}"
    tag = {"If-None-Match": api.get(f"{at}/decode.png?z=0,0").headers["etag"]}
    answers = [
        api.get(at),
        api.get(f"{at}/codes"),
        api.get(f"{at}/decode.png?z=0,0"),
        api.get(f"{at}/decode.png?z=0,0", headers=tag),
        api.head(f"{at}/planes/latent/tiles/0/0/0.png"),
        api.post(f"{at}/decode", json=latent),
        api.post(f"{at}/decode", json={"latents": [[0]]}),
        api.post(f"{at}/sample", json={}),
        client.get(f"/v2/models/{DEFAULT}.encoder"),
        client.post(f"/v2/models/{DEFAULT}.decoder/infer", json={"inputs": [tensor]}),
    ]
    assert {answer.status_code for answer in answers} == {200, 304, 422}
    weights = (ROOT / "checkpoints" / DEFAULT / "model.safetensors").read_bytes()
    expected = hashlib.sha256(weights).hexdigest()
    assert [answer.headers["explorer-model-hash"] for answer in answers] == [expected] * 10
    with server.stream() as stream:
        assert stream.response is not None
        assert stream.response.headers["explorer-model-hash"] == expected
    other = api.get("models/mnist-vae-20d").headers["explorer-model-hash"]
    assert other != expected
    for path in ("models", "datasets", "models/nope"):
        assert "explorer-model-hash" not in api.get(path).headers

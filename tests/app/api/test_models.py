import hashlib
import json

import httpx

from app.settings import ROOT
from tests.app.conftest import Refused
from tests.app.serving import DEFAULT

FIELDS = ["id", "title", "summary", "family", "dataset", "latent_dim", "likelihood", "beta"]
FIELDS += ["planes", "metrics", "sha256"]


def test_the_list_holds_every_shipped_model_with_the_default_one_first(api: httpx.Client) -> None:
    answer = api.get("models").json()
    shipped = {card.parent.name for card in (ROOT / "checkpoints").glob("*/card.json")}
    assert answer["default"] == DEFAULT == answer["models"][0]["id"]
    assert {card["id"] for card in answer["models"]} == shipped
    assert answer["device"] == "cpu" or answer["device"].startswith(("cuda:", "mps"))
    assert set(answer) == {"default", "device", "models"}


def test_a_card_says_what_its_checkpoint_says(api: httpx.Client) -> None:
    for card in api.get("models").json()["models"]:
        folder = ROOT / "checkpoints" / card["id"]
        stored = json.loads((folder / "card.json").read_text())
        assert list(card) == FIELDS
        assert card == {name: stored[name] for name in FIELDS}
        weights = (folder / "model.safetensors").read_bytes()
        assert card["sha256"] == hashlib.sha256(weights).hexdigest()
        assert api.get(f"models/{card['id']}").json() == card


def test_an_unknown_model_is_answered_with_those_there_are(
    api: httpx.Client, refused: Refused
) -> None:
    for path in ("", "/planes", "/codes", "/decode.png?z=0,0"):
        assert DEFAULT in refused(api.get(f"models/nobody{path}"), 404)
    for action in ("decode", "encode", "sample", "interpolate"):
        body: dict[str, object] = {"latents": [[0, 0]]} if action == "decode" else {}
        if action == "interpolate":
            body = {"start": {"latent": [0, 0]}, "end": {"latent": [0, 0]}}
        assert DEFAULT in refused(api.post(f"models/nobody/{action}", json=body), 404)

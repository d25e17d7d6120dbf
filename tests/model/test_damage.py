"""A damaged checkpoint is refused by a CheckpointError that names the file, whatever the damage."""

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from model.atlas import make_atlas, make_moment
from model.card import Card
from model.checkpoint import read_card, read_checkpoint
from model.data import datasets
from model.engine import Engine
from model.errors import CheckpointError
from tests.model.forgery import HASHES, forge, rewrite_card

ROUNDS = 120


@pytest.fixture(scope="module")
def whole(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with an atlas of 60 images, so that a file takes a moment to read."""
    target = tmp_path_factory.mktemp("whole") / "small-vae"
    folder = Path(shutil.copytree(trained / "small-vae", target))
    vae = read_checkpoint(folder).autoencoder
    images = datasets.test_set("mnist").images[:60]
    forge(folder, "atlas.npz", make_atlas(vae, images, (make_moment(vae, images, 4),)).to_bytes())
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "small-vae"))


def damaged(content: bytes, rng: np.random.Generator, head: int) -> bytes:
    """Change a few bytes, half the time among the first `head` or the last 2,000."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        ends = [*range(min(head, len(content))), *range(-min(2000, len(content)), 0)]
        place = rng.choice(ends) if rng.random() < 0.5 else rng.integers(len(content))
        changed[place] = rng.integers(256)
    return bytes(changed)


def complaint(folder: Path) -> list[str]:
    """What is said against a checkpoint, if anything is; other errors than this are raised."""
    try:
        read_checkpoint(folder)
    except CheckpointError as error:
        return [str(error)]
    return []


@pytest.mark.parametrize("name", ["card.json", *HASHES])
def test_a_file_with_changed_bytes_loads_or_is_refused_by_name(folder: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    content, complaints = (folder / name).read_bytes(), []
    for _ in range(ROUNDS):
        forge(folder, name, damaged(content, rng, 3000))
        complaints += complaint(folder)
    assert len(complaints) > ROUNDS / 8
    if name != "card.json":  # a changed hash in the card speaks against another file
        assert [text for text in complaints if f"small-vae/{name}" not in text] == []


def test_every_byte_of_an_archives_headers_may_be_changed(folder: Path) -> None:
    content = (folder / "atlas.npz").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        starts = [entry.header_offset for entry in archive.infolist()]
    places = [*range(starts[0], starts[0] + 30), *range(-100, 0)]
    places += range(content.index(b"PK\1\2"), content.index(b"PK\1\2") + 46)
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 0x5A
        forge(folder, "atlas.npz", bytes(changed))
        assert all("small-vae/atlas.npz is not an atlas" in text for text in complaint(folder))


def nested(depth: int) -> str:
    return depth * '{"a": ' + "0" + depth * "}"


@pytest.mark.parametrize(
    ("metrics", "complaint"),
    [
        (nested(100_000), "nested too deeply"),
        (nested(50), "nested deeper than 20 levels"),
        ('{"a": ' + 5000 * "9" + "}", "a number of 5000 digits"),
        ('{"a": ' + 40 * "9" + "}", "a number of 40 digits"),
        ('{"a": 1e999}', "not finite: 1e999"),
        ('{"a": NaN}', "not finite: NaN"),
        (r'{"a": "\ud800"}', "surrogates not allowed"),
        (r'{"\ud800": 1}', "surrogates not allowed"),
    ],
    ids=lambda text: text[:30],
)
def test_a_card_with_what_no_answer_could_hold_is_refused(
    folder: Path, metrics: str, complaint: str
) -> None:
    rewrite_card(folder, lambda card: card.update(metrics="HERE"))
    path = folder / "card.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"HERE"', metrics), encoding="utf-8")
    with pytest.raises(CheckpointError, match=rf"card\.json is not a card: .*{complaint}"):
        Card.load(folder)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"group": " "}, "group is empty; give it a heading"),
        ({"training": {"history": [3]}}, "history that is not a list of objects"),
        ({"training": {"history": "long"}}, "history that is not a list of objects"),
        ({"latent_dim": [[]] * 10_000}, "its field latent_dim is"),
    ],
)
def test_a_card_with_a_value_that_no_card_has_is_refused_shortly(
    folder: Path, fields: dict[str, Any], complaint: str
) -> None:
    rewrite_card(folder, lambda card: card.update(fields))
    with pytest.raises(CheckpointError, match=complaint) as refusal:
        Card.load(folder)
    assert len(str(refusal.value)) < 1000


def test_a_card_that_names_an_unknown_data_set_is_refused_by_name(folder: Path) -> None:
    def rename(card: dict[str, Any]) -> None:
        card["dataset"] = card["recipe"]["dataset"] = "no-such-set"

    rewrite_card(folder, rename)
    for read in (read_card, read_checkpoint, Engine.load):
        with pytest.raises(CheckpointError, match=r"card\.json names an unknown data set.*no-such"):
            read(folder)


@pytest.mark.parametrize("width", [10**9, 10**17])
def test_a_recipe_of_networks_that_fit_no_machine_is_refused(folder: Path, width: int) -> None:
    rewrite_card(folder, lambda card: card["recipe"]["encoder"].update(hidden=[width, width]))
    with pytest.raises(CheckpointError, match=r"card\.json holds a bad recipe: .*width above"):
        read_checkpoint(folder)


@pytest.mark.parametrize("dtype", ["int16", "int64", "uint8", "bool", "float64"])
def test_weights_of_another_type_than_f16_and_f32_are_refused(folder: Path, dtype: str) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    tensors["encoder.0.bias"] = tensors["encoder.0.bias"].astype(dtype)
    forge(folder, "model.safetensors", save(tensors))
    complaint = rf"model\.safetensors: tensor encoder\.0\.bias .* type {dtype}; store them as F16"
    with pytest.raises(CheckpointError, match=complaint):
        read_checkpoint(folder)


def forge_arrays(folder: Path, **arrays: np.ndarray) -> None:
    with np.load(folder / "atlas.npz") as archive:
        kept = {name: archive[name] for name in archive.files}
    file = io.BytesIO()
    np.savez(file, **{**kept, **arrays})
    forge(folder, "atlas.npz", file.getvalue())


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("codes", np.zeros((60, 2), np.float64)),
        ("codes", np.full((60, 2), "far")),
        ("codes", np.zeros((60, 2), ">f4")),
        ("codes", np.full((60, 2), np.nan, np.float32)),
        ("codes", np.zeros(60, np.float32)),
        ("codes", np.zeros((1, 2), np.float32)),
        ("density", np.zeros((1, 128), np.float32)),
        ("density", np.zeros((2, 128, 128), np.float32)),
        ("planes.id", np.array(["elsewhere"])),
        ("planes.axes", np.zeros((1, 2, 3))),
        ("planes.extent", np.zeros((1, 2, 2))),
        ("planes.origin", np.full((1, 2), np.inf)),
        ("moments.grid", np.zeros((1, 12, 12, 28, 27), np.uint8)),
        ("moments.epoch", np.array([0.5])),
    ],
)
def test_an_atlas_with_an_array_that_no_atlas_has_is_refused(
    folder: Path, name: str, array: np.ndarray
) -> None:
    forge_arrays(folder, **{name: array})
    with pytest.raises(CheckpointError, match=r"small-vae/atlas\.npz"):
        read_checkpoint(folder)


def test_more_codes_than_the_data_set_has_images_are_refused(folder: Path) -> None:
    forge_arrays(
        folder,
        codes=np.random.default_rng(0).random((10_001, 2), np.float32),
        **{"moments.codes": np.zeros((1, 2000, 2), np.float16)},
    )
    with pytest.raises(
        CheckpointError, match=r"atlas\.npz of small-vae has 10001 codes; mnist has 10000 "
    ):
        Engine.load(folder, "cpu")


def test_an_array_that_promises_more_than_it_has_is_refused_before_it_is_allocated(
    folder: Path,
) -> None:
    with zipfile.ZipFile(folder / "atlas.npz") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    head = entries["codes.npy"]
    entries["codes.npy"] = head.replace(b"(60, 2), }          ", b"(99999999999, 2), } ")
    assert entries["codes.npy"] != head
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    forge(folder, "atlas.npz", file.getvalue())
    with pytest.raises(CheckpointError, match=r"codes\.npy is not as long as its header says"):
        read_checkpoint(folder)


def test_a_lack_of_memory_is_not_called_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    def fail_in_torch(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    for place, failure in (
        ("model.atlas.np.load", fail),
        ("model.checkpoint.load_tensors", fail),
        ("model.checkpoint.build_autoencoder", fail_in_torch),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, failure)
            with pytest.raises(MemoryError):
                read_checkpoint(folder)

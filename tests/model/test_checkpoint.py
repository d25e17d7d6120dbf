import io
import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from torch import Tensor

from model.checkpoint import read_checkpoint
from model.errors import CheckpointError
from tests.model.forgery import forge, rewrite_card

FILES = ["model.safetensors", "card.json", "atlas.npz"]
Tensors = dict[str, Tensor]


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained / "small-vae", tmp_path / "small-vae"))


def forge_weights(folder: Path, change: Callable[[Tensors], object]) -> None:
    tensors = load((folder / "model.safetensors").read_bytes())
    change(tensors)
    forge(folder, "model.safetensors", save(tensors))


def test_a_checkpoint_is_read_with_its_stored_weights(folder: Path) -> None:
    checkpoint = read_checkpoint(folder)
    stored = load((folder / "model.safetensors").read_bytes())
    weights = checkpoint.autoencoder.state_dict()
    assert weights.keys() == stored.keys()
    assert all(torch.equal(weights[name], stored[name].float()) for name in stored)
    assert all(tensor.dtype == torch.float32 for tensor in weights.values())
    assert not any(parameter.requires_grad for parameter in checkpoint.autoencoder.parameters())
    assert checkpoint.card.id == "small-vae"
    assert checkpoint.atlas.codes.shape == (1000, 2)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [("small-vqvae", "codebook_EC"), ("small-gaussian", "likelihood.log_sigma")],
)
def test_what_is_no_network_is_stored_too(relatives: Path, name: str, tensor: str) -> None:
    stored = load((relatives / name / "model.safetensors").read_bytes())[tensor]
    weights = read_checkpoint(relatives / name).autoencoder.state_dict()
    assert stored.dtype == torch.float16
    assert torch.equal(weights[tensor], stored.float())


def test_a_checkpoint_is_read_ready_to_be_used_not_trained(relatives: Path) -> None:
    """Dropout would make a training network answer otherwise each time."""
    autoencoder = read_checkpoint(relatives / "small-stacked").autoencoder
    image = torch.rand(3, 784)
    assert torch.equal(autoencoder.code(image), autoencoder.code(image))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"small-vae/{name}"):
        read_checkpoint(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_a_truncated_file_is_refused_by_name(folder: Path, name: str, share: float) -> None:
    os.truncate(folder / name, int(share * (folder / name).stat().st_size))
    with pytest.raises(CheckpointError, match=f"small-vae/{name}"):
        read_checkpoint(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "atlas.npz"])
def test_a_single_wrong_bit_is_refused_by_name_with_the_remedy(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"small-vae/{name} does not match .* Restore it"):
        read_checkpoint(folder)


def test_the_weights_of_another_model_are_refused(folder: Path, trained: Path) -> None:
    shutil.copy(trained / "small-ae" / "model.safetensors", folder)
    with pytest.raises(CheckpointError, match=r"model\.safetensors does not match the hash"):
        read_checkpoint(folder)


class Malicious:
    """Makes a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.file,)


def test_a_pickle_under_the_name_of_the_weights_is_refused_and_does_nothing(folder: Path) -> None:
    harm = folder / "harm"
    content = pickle.dumps(Malicious(harm))
    forge(folder, "model.safetensors", content)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a safetensors file"):
        read_checkpoint(folder)
    assert not harm.exists()
    pickle.loads(content)
    assert harm.exists(), "it does no harm anywhere"


def test_a_pickle_within_an_atlas_is_refused_and_does_nothing(folder: Path) -> None:
    harm, file = folder / "harm", io.BytesIO()
    np.savez(file, codes=np.array([Malicious(harm)], object))
    forge(folder, "atlas.npz", file.getvalue())
    with pytest.raises(CheckpointError, match=r"atlas\.npz is not an atlas"):
        read_checkpoint(folder)
    assert not harm.exists()


def test_an_atlas_that_is_none_is_refused(folder: Path) -> None:
    forge(folder, "atlas.npz", b"")
    with pytest.raises(CheckpointError, match=r"atlas\.npz is not an atlas"):
        read_checkpoint(folder)


def test_an_atlas_of_another_model_is_refused(folder: Path, trained: Path) -> None:
    atlas = read_checkpoint(trained / "small-vae").atlas
    forge(folder, "atlas.npz", replace(atlas, codes=atlas.codes[:, :1]).to_bytes())
    with pytest.raises(CheckpointError, match=r"atlas\.npz"):
        read_checkpoint(folder)


def a_shape(tensors: Tensors) -> None:
    tensors["encoder.0.bias"] = tensors["encoder.0.bias"][:-1].clone()


def a_lack(tensors: Tensors) -> None:
    del tensors["encoder.0.bias"]


def a_stranger(tensors: Tensors) -> None:
    tensors["encoder.99.bias"] = torch.zeros(3)


def a_nan(tensors: Tensors) -> None:
    tensors["encoder.0.bias"][3] = torch.nan


def a_short_type(tensors: Tensors) -> None:
    tensors["encoder.0.bias"] = tensors["encoder.0.bias"].bfloat16()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (a_shape, r"tensor encoder\.0\.bias is \[31\]; its recipe asks for \[32\]"),
        (a_lack, r"lacks the tensor encoder\.0\.bias"),
        (a_stranger, r"has a tensor encoder\.99\.bias unknown to its recipe"),
        (a_nan, r"encoder\.0\.bias .* not finite"),
        (a_short_type, r"has numbers of the type BF16; store them as F16 or F32"),
    ],
)
def test_tensors_that_do_not_fit_the_recipe_are_refused_by_name(
    folder: Path, change: Callable[[Tensors], None], complaint: str
) -> None:
    forge_weights(folder, change)
    with pytest.raises(CheckpointError, match=rf"small-vae/model\.safetensors.*{complaint}"):
        read_checkpoint(folder)


def test_a_bad_recipe_in_the_card_is_refused(folder: Path) -> None:
    rewrite_card(folder, lambda card: card["recipe"].update(family="gan"))
    with pytest.raises(CheckpointError, match=r"card\.json holds a bad recipe: .*'gan'"):
        read_checkpoint(folder)


def test_a_card_that_contradicts_its_recipe_is_refused(folder: Path) -> None:
    rewrite_card(folder, lambda card: card.update(latent_dim=3))
    with pytest.raises(CheckpointError, match=r"card\.json.*latent_dim"):
        read_checkpoint(folder)

"""`python -m model import` and `export`: what they write, and what they say when they do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from model.__main__ import main
from model.checkpoint import Checkpoint, read_checkpoint, sha256
from model.engine import Engine
from model.engine import test_set as shipped
from model.errors import CheckpointError
from model.inference.imported import load
from model.inference.onnx_export import export
from model.vae.autoencoder import VariationalAutoencoder
from model.vae.dataset_elbo import intensities
from tests.model import foreign
from tests.model.foreign import decoder_file, encoder_file, exported, file_of, node
from tests.model.forgery import rewrite_card

Import = Callable[..., int]
ROOT = Path(__file__).parents[3]
SHIPPED = ("--checkpoints", str(ROOT / "checkpoints"))


@pytest.fixture
def command(tmp_path: Path) -> Import:
    """Import the networks that it is given into `tmp_path/checkpoints`."""

    def run(encoder: bytes, decoder: bytes, *options: str) -> int:
        (tmp_path / "enc.onnx").write_bytes(encoder)
        (tmp_path / "dec.onnx").write_bytes(decoder)
        networks = ("--encoder", tmp_path / "enc.onnx", "--decoder", tmp_path / "dec.onnx")
        places = (*networks, "--to", tmp_path / "checkpoints")
        return main(["import", "--data", "mnist", *map(str, places), *options])

    return run


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    (folder / "enc.onnx").write_bytes(encoder_file(5))
    (folder / "dec.onnx").write_bytes(decoder_file(5))
    words = f"import --data mnist --name five --title Five --to {folder}"
    networks = f"--encoder {folder / 'enc.onnx'} --decoder {folder / 'dec.onnx'}"
    assert main([*words.split(), *networks.split()]) == 0
    return folder / "five"


def test_a_checkpoint_has_both_files_a_card_and_the_codes_of_all_test_images(
    imported: Path,
) -> None:
    assert {path.name for path in imported.iterdir()} == {
        "encoder.onnx", "decoder.onnx", "card.json", "atlas.npz",
    }  # fmt: skip
    card = json.loads((imported / "card.json").read_text())
    shown = ("id", "title", "family", "dataset", "latent_dim", "likelihood", "beta", "group")
    assert [card[name] for name in shown] == [
        "five", "Five", "vae", "mnist", 5, "bernoulli", None, "Models from elsewhere",
    ]  # fmt: skip
    assert card["planes"] == ["pca-0-1"]
    images = shipped("mnist").images
    codes = read_checkpoint(imported).atlas.codes
    image_NCHW = torch.from_numpy(images.astype(np.float32) / 255)[:, None]
    expected = foreign.encoder(5)(image_NCHW)[0]
    np.testing.assert_allclose(codes, expected, atol=1e-4)


def test_the_hash_of_the_weights_covers_both_files(imported: Path) -> None:
    card = json.loads((imported / "card.json").read_text())
    hashes = [sha256((imported / name).read_bytes()) for name in ("encoder.onnx", "decoder.onnx")]
    assert card["sha256"] == sha256(" ".join(hashes).encode())


def test_a_taken_name_is_refused_unless_it_is_to_be_replaced(
    command: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(encoder_file(), decoder_file(), "--summary", "First.") == 0
    assert command(encoder_file(), decoder_file()) == 2
    assert "exists already. Take another --name, or add --replace" in capsys.readouterr().err
    assert command(encoder_file(), decoder_file(), "--summary", "Next.", "--replace") == 0
    card = json.loads((tmp_path / "checkpoints" / "mnist-imported" / "card.json").read_text())
    assert card["summary"] == "Next."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--output", "logits"), "dec.onnx gives numbers from 0 to 1 alone, which no logits are"),
        (("--variance", "variance"), "enc.onnx gives spreads below 0, which no variance is"),
        (("--name", "My model"), "'My model' cannot be an id"),
        (("--data", "nothing"), "There is no data set 'nothing'"),
    ],
)
def test_what_does_not_fit_the_words_of_the_command_is_refused(
    command: Import,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    assert command(encoder_file(), decoder_file(), *options) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "checkpoints").exists()


def test_logits_that_are_taken_for_means_are_refused(
    command: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    logits = exported(foreign.decoder(logits=True), torch.zeros(1, 2), "image")
    assert command(encoder_file(), logits) == 2
    assert "If they are logits, say so by --output logits" in capsys.readouterr().err


def test_codes_that_are_too_far_out_for_a_map_are_refused(
    command: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [
        node("Flatten", "input", "flat"),
        node("Gemm", "flat w", "output"),
    ]
    far = file_of(
        nodes, latents=("N", 1, 28, 28), constants={"w": np.full((784, 2), 1e3, np.float32)}
    )
    assert command(far.SerializeToString(), decoder_file()) == 2
    assert "from the origin; a map reaches 5,000" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "import --data mnist --encoder nowhere.onnx --decoder nowhere.onnx"
    assert main([*words.split(), "--to", str(tmp_path)]) == 2
    assert "nowhere.onnx cannot be read: No such file" in capsys.readouterr().err


# --- what is read again is doubted as much -------------------------------------------------------


@pytest.fixture
def copy(imported: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "five"
    folder.mkdir()
    for path in imported.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def exchange(folder: Path, name: str, content: bytes) -> None:
    """Exchange a file, and the hash in the card with it."""
    (folder / name).write_bytes(content)
    parts = [sha256((folder / part).read_bytes()) for part in ("encoder.onnx", "decoder.onnx")]
    rewrite_card(folder, lambda card: card.update(sha256=sha256(" ".join(parts).encode())))


def test_networks_that_were_exchanged_are_refused(copy: Path) -> None:
    (copy / "decoder.onnx").write_bytes(decoder_file(3))
    with pytest.raises(CheckpointError, match=r"encoder.onnx and decoder.onnx do not match"):
        read_checkpoint(copy)


def test_a_missing_network_is_named(copy: Path) -> None:
    (copy / "encoder.onnx").unlink()
    with pytest.raises(CheckpointError, match=r"five/encoder.onnx cannot be read"):
        read_checkpoint(copy)


def test_a_forged_network_is_looked_at_and_tried_when_it_is_loaded(copy: Path) -> None:
    drawn, same = (
        file_of([node(operator, "input", "output")], latents=("N", 5)).SerializeToString()
        for operator in ("RandomNormalLike", "Relu")
    )
    exchange(copy, "decoder.onnx", drawn)
    with pytest.raises(CheckpointError, match=r"five/decoder.onnx has the operator RandomNormal"):
        read_checkpoint(copy)
    exchange(copy, "decoder.onnx", same)
    with pytest.raises(CheckpointError, match=r"five/decoder.onnx gives N x 5 for each row"):
        read_checkpoint(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"family": "ae"}, "family is 'ae', but 'vae' in its own networks"),
        ({"latent_dim": 4}, "latent_dim is 4, but 5 in its own networks"),
        ({"likelihood": "gaussian"}, "likelihood is 'gaussian', but 'bernoulli'"),
        ({"recipe": {"imported": {"output": "ink"}}}, "The card says of its networks"),
        ({"recipe": {"imported": 3}}, "The card says of its networks"),
    ],
)
def test_a_card_that_says_otherwise_than_its_networks_is_refused(
    copy: Path, change: dict[str, object], message: str
) -> None:
    rewrite_card(copy, lambda card: card.update(change))
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(copy)


# --- there and back ------------------------------------------------------------------------------


def test_what_is_imported_from_an_export_decodes_10000_codes_within_one_grey_level(
    tmp_path: Path,
) -> None:
    assert main(["export", "mnist-vae-2d", str(tmp_path), *SHIPPED]) == 0
    networks = [f"--{part}={tmp_path / part}.onnx" for part in ("encoder", "decoder")]
    words = f"--data mnist --output logits --name again --to {tmp_path}"
    assert main(["import", *networks, *words.split()]) == 0
    ours = Engine.load(ROOT / "checkpoints" / "mnist-vae-2d", "cpu")
    again = Engine.load(tmp_path / "again", "cpu")
    assert len(ours.codes) == 10_000
    apart = ours.decode(ours.codes).astype(int) - again.decode(ours.codes)
    assert np.abs(apart).max() <= 1


def test_every_kind_of_model_comes_back_from_its_export(checkpoint: Checkpoint) -> None:
    ours = checkpoint.autoencoder
    encoder, decoder, terms = export(ours, checkpoint.card.latent_dim)
    again = load(encoder, decoder, checkpoint.card.image, terms).autoencoder
    z_ND = torch.from_numpy(checkpoint.atlas.codes[:1000])
    mean_NP, found_NP = (one.likelihood.mean(one.decode(z_ND)) for one in (ours, again))
    assert 255 * (mean_NP - found_NP).abs().max() <= 1
    image_NP = torch.from_numpy(intensities(shipped(checkpoint.card.dataset).images[:100]))
    if not isinstance(ours, VariationalAutoencoder):
        assert torch.allclose(again.code(image_NP), ours.code(image_NP), atol=1e-3)
        return
    assert isinstance(again, VariationalAutoencoder)
    guess, posterior = ours.guess(image_NP), again.guess(image_NP)
    scale_NDD = guess.scale_tril
    variance_ND = (scale_NDD @ scale_NDD.mT).diagonal(dim1=1, dim2=2)
    assert torch.allclose(posterior.mean, guess.mean, atol=1e-3)
    assert torch.allclose(
        posterior.scale_tril.diagonal(dim1=1, dim2=2) ** 2, variance_ND, rtol=1e-2
    )


def test_a_model_of_a_codebook_is_not_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "mnist-vqvae", str(tmp_path), *SHIPPED]) == 2
    assert "It has a codebook" in capsys.readouterr().err


def test_a_model_from_elsewhere_is_two_files_already(
    imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--checkpoints", str(imported.parent)]
    assert main(["export", "five", str(tmp_path), *place]) == 2
    assert "holds its two ONNX files already" in capsys.readouterr().err

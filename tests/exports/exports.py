"""`make test-exports`: examples/export with each library, in an environment of its own.

The environments lie in build/exports and are made once; together they take some gigabytes.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from app.settings import ROOT
from model.__main__ import main
from model.engine import Engine
from model.image_shape import ImageShape
from tests.model.tiny import idx
from tools.torch_index import FOR_PROCESSORS, answers, needs_no_cuda

ENVIRONMENTS = ROOT / "build" / "exports"
GREY, COLOUR = ImageShape(28, 28), ImageShape(32, 32, 3)
DOORS = {
    "diffusers": ("diffusers_autoencoder.py", 256, COLOUR),
    "keras": ("keras_model.py", 4, GREY),
    "lightning": ("lightning_module.py", 4, GREY),
    "pythae": ("pythae_model.py", 4, GREY),
}
"""Of each library: the script, and what its model without arguments is of."""


def python_of(library: str) -> Path:
    """Return the interpreter of an environment with the library, which is made if need be."""
    folder = ENVIRONMENTS / library
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        index = ["--extra-index-url", FOR_PROCESSORS] if _has_index() else []
        wanted = ["torch==2.13.0", "onnx", "onnxscript", library]
        subprocess.run([python, "-m", "pip", "install", "-q", *index, *wanted], check=True)
        stamp.touch()
    return python


def _has_index() -> bool:
    return needs_no_cuda() and answers(FOR_PROCESSORS)


@pytest.mark.parametrize("library", DOORS)
def test_a_model_of_the_library_comes_here(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, latents, image = DOORS[library]
    monkeypatch.chdir(tmp_path)
    script_path = str(ROOT / "examples" / "export" / script)
    command = [str(python_of(library)), script_path, "--to", "made"]
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    environment.pop("PYTHONPATH", None)
    subprocess.run(command, check=True, env=environment)
    rng = np.random.default_rng(0)
    axes = f"idx{1 + len(image.axes)}"
    for half in ("train", "t10k"):
        images = rng.integers(0, 256, (40, *image.axes), np.uint8)
        Path(f"{half}-images-{axes}-ubyte").write_bytes(idx(images))
        Path(f"{half}-labels-idx1-ubyte").write_bytes(idx(np.zeros(40, np.uint8)))
    size = f"--size {image.width}x{image.height}"
    more = f"{size} --preprocessing photo" if image.is_colour else ""
    assert main(f"data --from . --name exported-noise-{library} {more}".split()) == 0
    networks = "--encoder made/encoder.onnx --decoder made/decoder.onnx"
    dataset = f"--data exported-noise-{library}"
    assert main(f"import {networks} {dataset} --name {library} --to models".split()) == 0

    engine = Engine.load(tmp_path / "models" / library, "cpu")
    assert engine.card.latent_dim == latents
    z_ND = rng.standard_normal((10, latents)).astype(np.float32)
    session = onnxruntime.InferenceSession("made/decoder.onnx")
    (name,) = (port.name for port in session.get_inputs())
    (mean_NCHW,) = session.run(None, {name: z_ND})
    expected = 255 * np.moveaxis(mean_NCHW, 1, -1).reshape(10, *image.axes)
    assert np.abs(engine.decode(z_ND) - expected).max() <= 1

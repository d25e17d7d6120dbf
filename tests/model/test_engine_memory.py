"""An engine that is dropped leaves memory at once, and serving imports nothing late."""

import gc
import json
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from model.engine import Engine
from model.inference import onnx_session

ROOT = Path(__file__).parents[2]
NAMES = ["mnist-vae-2d", "mnist-ae-2d", "mnist-vae-20d", "mnist-recurrent-ae-2d", "mnist-vqvae"]


def use(engine: Engine) -> None:
    """Ask for everything that a server does; give up a field and a geodesic halfway."""
    engine.warm_up()
    engine.encode(np.zeros((2, 28, 28), np.float32))
    engine.code(np.zeros((2, 28, 28), np.float32))
    if not engine.decodes:
        return
    start, end = engine.codes[:2]
    engine.decode(engine.codes[:3])
    engine.tile(engine.planes[0].id, 1, 0, 1)
    engine.neighbours(start, 3)
    engine.sample(5, seed=0)
    engine.interpolate(start, end, 5)
    engine.seen_lengths(engine.interpolate(start, end, 90, "spherical").latents)
    for kind in ("density", "magnification", "entropy", "label"):
        field = engine.field(engine.planes[-1].id, kind)
        for _ in range(4):
            field.advance()
    if engine.card.latent_dim == 20:
        engine.plane("dims-3-4")
        engine.interpolate(start, end, 5, "geodesic")
    for piece in engine.walk(start, end, 5, "geodesic")[:20]:
        piece()
    if engine.card.latent_dim == 2:
        for distance_piece in engine.distances(start)[:20]:
            distance_piece()


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
@pytest.mark.parametrize("name", NAMES)
def test_a_dropped_engine_is_freed_without_the_cycle_collector(
    name: str, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if runtime == "torch":
        monkeypatch.setattr(onnx_session, "onnxruntime", None)
    gc.collect()
    gc.disable()
    try:
        engine = Engine.load(ROOT / "checkpoints" / name, "cpu")
        use(engine)
        parts = [engine, engine._autoencoder, *engine._autoencoder.modules(), engine.encoder]
        if engine.decodes:
            parts += [engine._map, engine._paths, engine.field(engine.planes[0].id, "label")]
        held = [weakref.ref(part) for part in parts]
        del engine, parts
        assert [ref() for ref in held if ref() is not None] == []
    finally:
        gc.enable()


SESSIONS = """
import gc, sys, weakref
from pathlib import Path
import onnxruntime
from model.engine import Engine

held = []
begin = onnxruntime.InferenceSession.__init__

def noted(session, *arguments, **options):
    begin(session, *arguments, **options)
    held.append(weakref.ref(session))

onnxruntime.InferenceSession.__init__ = noted
gc.disable()
engine = Engine.load(Path(sys.argv[1]), "cpu")
engine.warm_up()
assert len(held) >= 2
del engine
assert [ref() for ref in held if ref() is not None] == []
"""


@pytest.mark.slow
def test_its_sessions_of_onnx_runtime_go_with_it() -> None:
    pytest.importorskip("onnxruntime")
    folder = str(ROOT / "checkpoints" / "mnist-vae-2d")
    subprocess.run([sys.executable, "-c", SESSIONS, folder], cwd=ROOT, check=True)


IMPORTS = """
import json, sys
from pathlib import Path
from model.engine import Engine
from tests.model.test_engine_memory import use

engine = Engine.load(Path(sys.argv[1]), "cpu")
engine.warm_up()
before = set(sys.modules)
use(engine)
if engine.decodes:
    engine.interpolate(*engine.codes[:2], 5, "geodesic")
assert "scipy" not in sys.modules, "it takes half a second and 24 MB"
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mnist-vae-2d", "mnist-vae-20d", "mnist-vqvae"])
def test_nothing_is_imported_after_warming_up(name: str) -> None:
    """An import stops every request for as long as it takes, a compiler's for seconds."""
    command = [sys.executable, "-c", IMPORTS, str(ROOT / "checkpoints" / name)]
    result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert json.loads(result.stdout) == []

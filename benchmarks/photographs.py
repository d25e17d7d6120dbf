"""How many photographs of digits are read as the digit that they show.

    python -m benchmarks.photographs [--model mnist-vae-20d] [--count 100] [--seed 0] [--only KIND]
    python -m benchmarks.photographs --speed

Test digits are drawn as ink on paper, once for each kind of picture that people send
(`tests/photographs.py`), prepared as uploads are, and encoded. A digit is read as what most of the
15 nearest codes show. What is asked is asked of `mnist-vae-20d`.

`--speed` prints instead what the preparation of uploads costs beyond their decoding.
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path

import numpy as np
from PIL import Image

from app.formats.image_files import prepare
from model.data.datasets import MNIST
from model.data.preparation import DIGIT_SIDE
from model.engine import Engine, test_set
from model.errors import ImageError
from tests.photographs import KINDS, SMALL_DIGITS, photographs

NEIGHBOURS = 15
ASKED = {
    "28 x 28: photograph": 90,
    "28 x 28: off-centre": 90,
    "28 x 28: off-centre on white": 90,
    "light falling to 0.3": 92,
    "glare +60 % on grey": 88,
    "hard shadow x 0.6": 70,
    "dark table on 3 %": 90,
    "black frame of 2 pixels": 92,
    "digit in a drawn box": 85,
    "two specks": 94,
    "dark ruled": 90,
    "dark squared": 75,
    SMALL_DIGITS: 82,
}
"""Percent; of all other kinds `ASKED_OF_OTHERS`."""
ASKED_OF_OTHERS = 93


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    """Return an image as a file; of a PNG, as one that is quick to write."""
    file = io.BytesIO()
    image.save(file, kind, **({"compress_level": 1} if kind == "PNG" else {"quality": 90}))
    return file.getvalue()


def read(engine: Engine, content: bytes) -> int | None:
    """Return the label that most of the nearest codes have; None if the upload is refused."""
    try:
        image = prepare(content, engine.form, with_steps=False).image
    except ImageError:
        return None
    mean = engine.code(image[None]).mean
    assert mean is not None, "a model with a codebook has no neighbours"
    near = engine.neighbours(mean[0], NEIGHBOURS)
    return int(np.bincount(near.labels).argmax())


def milliseconds(content: bytes, rounds: int) -> tuple[float, float]:
    """Return the least processor time to decode a file as `prepare` does, and to prepare it."""
    decoded, prepared = [], []
    for _ in range(rounds):
        began = time.thread_time()
        picture = Image.open(io.BytesIO(content))
        picture.draft("L", (DIGIT_SIDE, DIGIT_SIDE))
        picture.load()
        decoded.append(time.thread_time() - began)
        began = time.thread_time()
        prepare(content, MNIST.form, with_steps=False)
        prepared.append(time.thread_time() - began)
    return 1000 * min(decoded), 1000 * min(prepared)


def print_speed(rounds: int) -> None:
    """Print what the preparation of uploads costs."""
    tests = test_set("mnist")
    (large, _), *_ = photographs("3000 x 4000", tests.images, tests.labels, 1, 0)
    (squared, _), *_ = photographs("dark squared", tests.images, tests.labels, 1, 0)
    canvas = Image.fromarray(tests.images[0]).resize((280, 280))
    print("| upload | decoded, ms | all else, ms | asked, ms |\n|---|---|---|---|")
    for name, content, asked in [
        ("JPEG of 3000 x 4000", file_of(large, "JPEG"), 15),
        ("PNG of squared paper, 640 x 480", file_of(squared), 15),
        ("PNG of 280 x 280", file_of(canvas), 1),
    ]:
        decoding, whole = milliseconds(content, rounds)
        print(f"| {name} | {decoding:.2f} | {whole - decoding:.2f} | {asked} |", flush=True)


def main() -> None:
    """Print one table or the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="mnist-vae-20d")
    parser.add_argument("--count", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[*KINDS, SMALL_DIGITS], help="one kind")
    parser.add_argument("--speed", action="store_true", help="what a preparation costs")
    parser.add_argument("--rounds", type=int, default=100, help="of each upload, for --speed")
    options = parser.parse_args()
    if options.speed:
        print_speed(options.rounds)
        return
    engine = Engine.load(Path("checkpoints") / options.model, "cpu")
    tests = test_set("mnist")
    print(f"| kind | right, of {options.count} | asked, % |\n|---|---|---|")
    for kind in [options.only] if options.only else [*KINDS, SMALL_DIGITS]:
        sent = photographs(kind, tests.images, tests.labels, options.count, options.seed)
        right = sum(read(engine, file_of(image)) == label for image, label in sent)
        print(f"| {kind} | {right} | {ASKED.get(kind, ASKED_OF_OTHERS)} |", flush=True)


if __name__ == "__main__":
    main()

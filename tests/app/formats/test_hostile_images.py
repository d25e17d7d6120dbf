"""Harmful, unusual and damaged image files are encoded or refused with a reason, cheaply."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.formats.image_files import prepare
from model.data.datasets import FASHION_MNIST, MNIST
from model.errors import ImageError
from tests.app.conftest import Refused
from tests.app.pictures import file
from tests.fuzz.fuzz_images import FOUND
from tests.fuzz.make import harmful, seven, strange, truncated

# Pillow's of damage are muted by app/formats/image_files.py, which pytest does not know of.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")
ENCODE = "models/mnist-vae-2d/encode"
MEBI = 2**20


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def check(content: bytes) -> None:
    """Assert that a file becomes an image of 28 x 28 or is refused."""
    for form in (MNIST.form, FASHION_MNIST.form):
        with suppress(ImageError):
            image = prepare(content, form).image
            assert image.shape == (28, 28)
            assert ((image >= 0) & (image <= 1)).all()


@pytest.mark.parametrize("name", strange())
def test_an_unusual_file_is_read_as_the_image_it_shows(name: str) -> None:
    shown = prepare(file(seven()), MNIST.form).image
    assert alike(prepare(strange()[name], MNIST.form).image, shown) > 0.98


@pytest.mark.parametrize("name", harmful())
def test_a_harmful_file_is_refused_for_its_reason(name: str) -> None:
    content, reason = harmful()[name]
    with pytest.raises(ImageError, match=reason):
        prepare(content, MNIST.form)


def test_a_truncated_file_is_refused_or_read() -> None:
    for content in truncated(strange().values()):
        check(content)


def test_a_file_that_the_fuzzer_found_is_refused_or_read() -> None:
    found = [path.read_bytes() for path in FOUND.iterdir()]
    assert len(found) > 20
    for content in found:
        check(content)


def test_an_upload_is_recognised_by_its_content_whatever_its_name_says(
    api: httpx.Client, refused: Refused
) -> None:
    for name, content in strange().items():
        sent = {"file": (f"{name}.html", content, "text/html")}
        assert api.post(ENCODE, files=sent).status_code == 200, name
    for content, reason in harmful().values():
        answer = api.post(ENCODE, files={"file": ("seven.png", content, "image/png")})
        assert reason in refused(answer, 422)
    drawn = api.post(ENCODE, content=b"<svg/>", headers={"content-type": "image/svg+xml"})
    assert "no image file that can be read here" in refused(drawn, 422)


def peak(tmp_path: Path, *contents: bytes) -> int:
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not tell the peak of a process")
    paths = [tmp_path / str(index) for index in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    command = [sys.executable, "-m", "tests.fuzz.peak", *map(str, paths)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_a_harmful_file_takes_little_memory(tmp_path: Path) -> None:
    harm = [content for content, _ in harmful().values()]
    assert peak(tmp_path, *harm) < 50 * MEBI


@pytest.mark.slow
def test_the_largest_image_takes_no_more_memory_than_a_few_copies(tmp_path: Path) -> None:
    grey = seven(mode="L")
    deep = Image.fromarray(np.asarray(seven()).astype(np.uint16) * 257)
    large = [
        file(small.resize((5000, 5000)), "TIFF", compression="tiff_adobe_deflate")
        for small in (grey.convert("RGBA"), deep, grey.convert("F"))
    ]
    assert peak(tmp_path, *large) < 12 * 5000**2 + 50 * MEBI

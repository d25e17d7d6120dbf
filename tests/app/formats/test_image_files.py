import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.formats import png
from app.formats.image_files import prepare as prepare_for
from app.formats.image_limits import SMALL_SIDE, is_small_png
from model.data.datasets import FASHION_MNIST, MNIST, Form
from model.engine import MAX_PIXELS, LabelledImages, Prepared
from model.errors import ImageError
from tests.app.pictures import bomb, drawing, file


def prepare(content: bytes) -> Prepared:
    return prepare_for(content, MNIST.form)


def names(content: bytes) -> list[str]:
    return [step.name for step in prepare(content).steps]


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_a_shipped_test_image_passes_unchanged(mnist: LabelledImages) -> None:
    for index in range(0, 10_000, 250):
        prepared = prepare(png.encode(mnist.images[index]))
        assert (prepared.image * 255 == mnist.images[index]).all()
        assert [step.name for step in prepared.steps] == ["read", "kept"]


def test_a_test_image_with_light_and_dark_exchanged_comes_back_as_it_was(
    mnist: LabelledImages,
) -> None:
    prepared = prepare(png.encode(255 - mnist.images[3]))
    np.testing.assert_allclose(prepared.image, mnist.images[3] / 255, atol=1e-6)
    assert [step.name for step in prepared.steps] == ["read", "inverted", "kept"]


def test_an_enlarged_and_displaced_test_image_comes_back_much_as_it_was(
    mnist: LabelledImages,
) -> None:
    for index in range(0, 10_000, 500):
        original = mnist.images[index]
        page = Image.new("L", (700, 500), 0)
        page.paste(Image.fromarray(original).resize((280, 280)), (377, 31))
        image = prepare(file(page)).image
        # A centre of mass halfway between two pixels may be put on either.
        shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        assert max(alike(np.roll(image, shift, (0, 1)), original) for shift in shifts) > 0.9


def test_the_stroke_fills_20_pixels_and_its_mass_lies_at_the_centre() -> None:
    image = prepare(file(drawing())).image
    assert image.shape == (28, 28)
    assert image.max() == 1
    rows, columns = np.nonzero(image)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    middle = [np.average(np.arange(28), weights=image.sum(axis=axis)) for axis in (1, 0)]
    assert middle == pytest.approx([14, 14], abs=0.55)  # as MNIST's own


def test_dark_ink_on_paper_and_chalk_on_a_board_give_the_same_image() -> None:
    ink, chalk = (prepare(file(drawing(ink=i, paper=p))).image for i, p in [(0, 255), (255, 0)])
    np.testing.assert_allclose(ink, chalk, atol=1 / 255)


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum


def with_chunk(content: bytes, added: bytes) -> bytes:
    """Return a PNG with one more chunk after its head."""
    return content[:33] + added + content[33:]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_few_pixels_and_nothing_else_is_small(mode: str) -> None:
    pictures = [Image.new("L", size, 9).convert(mode) for size in ((28, 28), (160, 160), (1, 9))]
    assert all(is_small_png(file(picture)) for picture in pictures)
    assert is_small_png(with_chunk(file(pictures[0]), chunk(b"gAMA", bytes(4))))
    for size in ((SMALL_SIDE + 1, 1), (1, SMALL_SIDE + 1)):
        assert not is_small_png(file(Image.new("L", size).convert(mode)))


SMALL = file(drawing((150, 150)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(SMALL[:33], id="head alone"),
        pytest.param(SMALL[:-1], id="cut"),
        pytest.param(SMALL + b"x", id="longer"),
        pytest.param(file(drawing((150, 150)), "JPEG"), id="JPEG"),
        pytest.param(bomb(), id="bomb"),
        pytest.param(with_chunk(SMALL, bomb()[8:33]), id="a second head"),
        *[
            pytest.param(with_chunk(SMALL, chunk(kind)), id=kind.decode())
            for kind in (b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"acTL", b"fdAT", b"abCd")
        ],
        pytest.param(with_chunk(SMALL, 64 * chunk(b"tIME", bytes(7))), id="many chunks"),
        pytest.param(with_chunk(SMALL, b"\xff\xff\xff\xffIDAT"), id="a chunk without end"),
    ],
)
def test_a_file_that_could_take_long_is_not_small(content: bytes) -> None:
    assert not is_small_png(content)


@pytest.mark.parametrize("ink", ["black", "white"])
def test_a_stroke_on_a_transparent_background_is_put_on_one_that_shows_it(ink: str) -> None:
    colour = (0, 0, 0, 255) if ink == "black" else (255, 255, 255, 255)
    clear = drawing(ink=colour, paper=(127, 127, 127, 0), mode="RGBA")
    assert "flattened" in names(file(clear))
    assert alike(prepare(file(clear)).image, prepare(file(drawing())).image) > 0.99


def test_a_photograph_of_a_turned_camera_is_turned_back() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by a quarter, clockwise, to view": EXIF 2.3, table 4
    turned = drawing().transpose(Image.Transpose.ROTATE_90)
    content = file(turned, "JPEG", quality=95, exif=exif)
    assert "turned" in names(content)
    assert alike(prepare(content).image, prepare(file(drawing())).image) > 0.98


def test_a_dim_and_noisy_photograph_is_levelled() -> None:
    noise = np.random.default_rng(0).normal(0, 4, (200, 300))
    dim = np.clip(np.asarray(drawing(ink=60, paper=140), float) + noise, 0, 255).astype(np.uint8)
    prepared = prepare(file(Image.fromarray(dim), "JPEG", quality=90))
    assert [step.name for step in prepared.steps][:3] == ["read", "inverted", "levelled"]
    assert alike(prepared.image, prepare(file(drawing())).image) > 0.93
    assert (prepared.image == 0).mean() > 0.6, "the paper is gone"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_accepted_format_is_read(format: str, mode: str) -> None:
    content = file(drawing(ink="white", paper="black", mode=mode), format)
    assert alike(prepare(content).image, prepare(file(drawing())).image) > 0.98


MODES: list[tuple[str, str, Callable[[Image.Image], Image.Image]]] = [
    ("bilevel", "PNG", lambda image: image.convert("1")),
    ("palette", "PNG", lambda image: image.convert("P")),
    ("16 bit", "PNG", lambda image: Image.fromarray(np.asarray(image).astype(np.uint16) * 257)),
    ("32 bit", "TIFF", lambda image: Image.fromarray(np.asarray(image).astype(np.int32) * 7000)),
    ("float", "TIFF", lambda image: Image.fromarray(np.asarray(image).astype(np.float32) / 255)),
    ("CMYK", "JPEG", lambda image: image.convert("RGB").convert("CMYK")),
    ("grey and alpha", "PNG", lambda image: image.convert("LA")),
]


@pytest.mark.parametrize(("mode", "format", "convert"), MODES, ids=[mode[0] for mode in MODES])
def test_every_kind_of_pixel_is_read(
    mode: str, format: str, convert: Callable[[Image.Image], Image.Image]
) -> None:
    content = file(convert(drawing()), format)
    assert alike(prepare(content).image, prepare(file(drawing())).image) > 0.98


def test_a_float_image_with_a_pixel_that_is_not_a_number_is_refused() -> None:
    levels = np.asarray(drawing()).astype(np.float32)
    levels[0, 0] = np.nan
    with pytest.raises(ImageError, match="damaged"):
        prepare(file(Image.fromarray(levels), "TIFF"))


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("size", [(28, 28), (300, 200), (1, 1), (1, 5000)])
def test_a_blank_image_is_refused_with_the_reason(level: int, size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="blank"):
        prepare(file(Image.new("L", size, level)))


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe-3.0", bytes(1000)],
)
def test_a_file_that_is_no_image_of_an_accepted_format_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError, match="PNG, JPEG, WEBP, GIF, BMP, TIFF"):
        prepare(content)


def test_a_format_is_recognised_by_content_and_others_are_not_opened() -> None:
    with pytest.raises(ImageError, match="no image file that can be read"):
        prepare(file(drawing(), "PPM"))


def test_an_image_that_promises_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageError, match=str(MAX_PIXELS)):
        prepare(bomb())


@given(
    cut=st.integers(0, 2000),
    flips=st.lists(st.integers(0, 1999), max_size=20),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"]),
)
def test_a_damaged_file_is_refused_or_read_and_never_fails_otherwise(
    cut: int, flips: list[int], kind: str
) -> None:
    content = bytearray(file(drawing((80, 160)).resize((40, 40)), kind)[: cut + 20])
    for place in flips:
        content[place % len(content)] ^= 0x55
    with suppress(ImageError):
        image = prepare(bytes(content)).image
        assert image.shape == (28, 28)
        assert ((image >= 0) & (image <= 1)).all()


@pytest.mark.parametrize("form", [MNIST.form, FASHION_MNIST.form])
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_any_image_with_contrast_becomes_28_by_28(
    form: Form, width: int, height: int, seed: int
) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    noise[0] = 255  # a border that some of the noise stands out from, or nothing does
    with suppress(ImageError):
        image = prepare_for(png.encode(noise), form).image
        assert image.shape == (28, 28)
        assert image.dtype == np.float32
        assert ((image >= 0) & (image <= 1)).all()


def test_each_step_has_a_thumbnail_and_says_what_was_done() -> None:
    steps = prepare(file(drawing((2000, 1500), ink=0, paper=255))).steps
    assert [step.name for step in steps] == ["read", "inverted", "cropped", "fitted", "centred"]
    assert all(step.detail.endswith(".") for step in steps)
    assert all(max(step.image.shape) <= 112 for step in steps)


def test_a_lack_of_memory_is_not_told_as_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises(MemoryError):
        prepare(file(drawing()))

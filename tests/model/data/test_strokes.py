import numpy as np
import pytest
from PIL import Image, ImageDraw

from model.data import strokes


def seven(size: tuple[int, int] = (320, 240), *, pen: int = 14) -> Image.Image:
    """Return the mask of a 7 in the middle of a sheet."""
    image = Image.new("L", size)
    ImageDraw.Draw(image).line([(110, 60), (210, 60), (150, 190)], 255, pen)
    return image


def ink_of(image: Image.Image) -> np.ndarray:
    return np.asarray(image) > 127


def chosen(ink: np.ndarray) -> tuple[np.ndarray, str]:
    mask, left_out = strokes.chosen(ink, plain=True)
    return ink & mask, "; ".join(left_out)


def sheet(mask: Image.Image, *, ink: float = 0.2, paper: float = 0.8) -> np.ndarray:
    """Return a little noisy paper with ink where the mask says."""
    covered = np.asarray(mask) / 255
    noise = np.random.default_rng(0).normal(0, 0.01, covered.shape)
    return np.asarray(paper * (1 - covered) + ink * covered + noise)


def test_a_digit_alone_is_kept_whole_and_nothing_is_said() -> None:
    kept, said = chosen(ink_of(seven()))
    assert (kept == ink_of(seven())).all()
    assert said == ""


@pytest.mark.parametrize("angle", [-2.0, 0.0, 1.3])
@pytest.mark.parametrize("squared", [False, True])
def test_ruled_and_squared_paper_goes_and_the_digit_stays(angle: float, squared: bool) -> None:
    page, slope = seven(), np.tan(np.radians(angle))
    pen = ImageDraw.Draw(page)
    for y in range(-20, 280, 26):
        pen.line([(0, y), (320, y + 320 * slope)], 255, 1)
    for x in range(-20, 360, 26) if squared else ():
        pen.line([(x, 0), (x - 240 * slope, 240)], 255, 1)
    kept, said = chosen(ink_of(page))
    wanted = ink_of(seven())
    assert "ruled lines" in said
    assert (kept & ~wanted).sum() < 0.05 * wanted.sum()
    assert (wanted & ~kept).sum() < 0.05 * wanted.sum()


def test_the_bar_of_a_digit_by_a_thin_pen_is_no_ruled_line() -> None:
    page = Image.new("L", (320, 240))
    ImageDraw.Draw(page).line([(80, 60), (240, 60), (150, 200)], 255, 3)
    kept, said = chosen(ink_of(page))
    assert (kept == ink_of(page)).all()
    assert said == ""


def test_a_box_around_the_digit_goes_whether_its_pen_is_thin_or_thick() -> None:
    for width in (2, 9):
        page = seven()
        ImageDraw.Draw(page).rectangle((90, 35, 240, 215), outline=255, width=width)
        kept, said = chosen(ink_of(page))
        assert (kept == ink_of(seven())).all()
        assert said


def test_the_ring_of_a_0_is_no_box() -> None:
    page = Image.new("L", (320, 240))
    ImageDraw.Draw(page).ellipse((100, 40, 200, 200), outline=255, width=12)
    ImageDraw.Draw(page).line([(130, 150), (170, 90)], 255, 8)  # some cross it out
    kept, said = chosen(ink_of(page))
    assert (kept == ink_of(page)).all()
    assert "box" not in said


def test_a_frame_at_the_edge_goes() -> None:
    page = seven()
    ImageDraw.Draw(page).rectangle((0, 0, 319, 239), outline=255, width=4)
    kept, _ = chosen(ink_of(page))
    assert (kept == ink_of(seven())).all()


def test_specks_go_and_the_strokes_of_a_broken_digit_stay_together() -> None:
    page = Image.new("L", (320, 240))
    pen = ImageDraw.Draw(page)
    pen.line([(120, 50), (200, 50)], 255, 12)  # a 5 whose bar stands off
    pen.arc((110, 75, 190, 190), 250, 120, 255, 12)
    five = ink_of(page)
    pen.rectangle((20, 20, 22, 22), fill=255)
    kept, said = chosen(ink_of(page))
    assert (kept == five).all()
    assert said == "specks"


def test_of_two_digits_side_by_side_the_larger_is_taken_and_that_is_said() -> None:
    page = seven()
    ImageDraw.Draw(page).line([(230, 80), (230, 170)], 255, 14)
    kept, said = chosen(ink_of(page))
    assert (kept == ink_of(seven())).all()
    assert said == "another shape of like size, of which the larger was taken"


def lights() -> dict[str, np.ndarray]:
    """Return lights that fall on a sheet: even, from one side, with a hard shadow, with glare."""
    rows, columns = np.mgrid[:240, :320]
    return {
        "even": np.ones((240, 320)),
        "falling": 1 - 0.7 * columns / 320,
        "shadow from the left": np.where(columns + rows / 3 < 200, 0.6, 1.0),
        "shadow from the right": np.where(columns + rows / 3 > 200, 0.6, 1.0),
        "glare": 0.6 + 0.36 * np.exp(-((rows - 50) ** 2 + (columns - 60) ** 2) / 8000),
    }


@pytest.mark.parametrize("light", lights())
@pytest.mark.parametrize(("ink", "paper"), [(0.15, 0.85), (0.3, 0.7), (0.85, 0.2)])
def test_ink_is_told_from_paper_in_any_light(light: str, ink: float, paper: float) -> None:
    page = sheet(seven(), ink=ink, paper=paper) * lights()[light]
    assert strokes.is_dark_on_light(page.clip(0, 1)) == (ink < paper)


@pytest.mark.parametrize("light", lights())
def test_evening_leaves_the_ink_alone_whatever_light_falls_on_it(light: str) -> None:
    page = (sheet(seven()) * lights()[light]).clip(0, 1)
    found = strokes.evened(1 - page)
    inner = ink_of(seven())[5:-5, 5:-5]
    assert found[5:-5, 5:-5][inner].min() > 0.3
    assert (found[5:-5, 5:-5][~inner] < 0.3).mean() > 0.99


def test_a_drawing_is_plain_and_a_photograph_is_not() -> None:
    drawing = np.where(ink_of(seven()), 20, 230).astype(np.uint8)
    assert strokes.is_plain(drawing)
    assert strokes.is_plain(255 - drawing)
    for name, light in lights().items():
        page = (255 * sheet(seven()) * light).clip(0, 255).astype(np.uint8)
        assert not strokes.is_plain(page), name
    shaded = np.where(lights()["shadow from the left"] < 1, 0.6 * drawing, drawing)
    assert not strokes.is_plain(shaded.astype(np.uint8)), "two grounds, each of one level"

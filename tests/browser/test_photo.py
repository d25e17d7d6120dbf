"""A picture of the visitor's own, and what the visitor says where its preparation guessed wrong."""

import io
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Request, expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer
from tests.browser.test_access import expect_in_reach, with_large_letters
from tests.browser.test_page import DESKTOP, PHONE

SIZE = (640, 480)
SEVEN, ZERO = 0, 3
"""Test images; the first is laid larger on the sheet."""
ON_ZERO = (0.7, 0.58)
AROUND_ZERO = (0.52, 0.3), (0.93, 0.86)

TOUCH = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
MOUSE = {"viewport": DESKTOP}
SHARES = """(box) => {
    const [left, top, width, height] = ['left', 'top', 'width', 'height']
        .map((name) => parseFloat(box.style[name]) / 100);
    return [left, top, left + width, top + height];
}"""

Place = tuple[float, float]


def photograph(home: str, kind: str = "JPEG") -> bytes:
    """Return a picture file of a sheet with a 7 and, to its right, a smaller 0."""
    sheet = Image.new("L", SIZE, 210)
    for index, corner, side in ((SEVEN, (60, 90), 280), (ZERO, (360, 190), 180)):
        url = f"{home}/api/v1/datasets/mnist/images/{index}.png"
        content = httpx.get(url, trust_env=False).raise_for_status().content
        digit = Image.open(io.BytesIO(content)).convert("L").resize((side, side))
        sheet.paste(40, corner, digit)
    file = io.BytesIO()
    sheet.save(file, kind)
    return file.getvalue()


class Photo:
    """A picture that a visitor has uploaded, and the visitor's hand on it."""

    def __init__(self, explorer: Explorer, kind: str = "JPEG") -> None:
        self.explorer, self.page = explorer, explorer.page
        self.content = photograph(explorer.home, kind)
        self.page.locator("#tab-draw").click()
        self.page.locator("#image-file").set_input_files(
            {"name": "photo", "mimeType": f"image/{kind.lower()}", "buffer": self.content}
        )
        expect(self.page.locator("#photo-frame")).to_be_visible()
        self.expect_code_of()

    def place(self, shares: Place) -> Place:
        """Return where on the screen a place on the picture is."""
        frame = self.page.locator("#photo-frame")
        frame.evaluate("(frame) => frame.scrollIntoView({ block: 'center' })")
        box = frame.bounding_box()
        assert box
        return box["x"] + shares[0] * box["width"], box["y"] + shares[1] * box["height"]

    def tap(self, shares: Place) -> None:
        x, y = self.place(shares)
        if self.page.evaluate("navigator.maxTouchPoints"):
            self.page.touchscreen.tap(x, y)
        else:
            self.page.mouse.click(x, y)

    def drag(self, start: Place, end: Place) -> None:
        (x0, y0), (x1, y1) = self.place(start), self.place(end)
        ways = [(x0 + (x1 - x0) * step / 5, y0 + (y1 - y0) * step / 5) for step in range(6)]
        if not self.page.evaluate("navigator.maxTouchPoints"):
            self.page.mouse.move(x0, y0)
            self.page.mouse.down()
            for way in ways:
                self.page.mouse.move(*way)
            self.page.mouse.up()
            return
        devtools = self.page.context.new_cdp_session(self.page)
        for kind, points in [("touchStart", ways[:1]), *(("touchMove", [way]) for way in ways)]:
            touches = [{"x": x, "y": y} for x, y in points]
            devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    @property
    def box(self) -> list[float]:
        """The box as it is drawn, in shares of the picture."""
        shares: list[float] = self.page.locator("#photo-box").evaluate(SHARES)
        return shares

    def expect_code_of(self, **said: str) -> str:
        """Wait until the page shows the code that the API answers; return it as it is printed."""
        upload = {"file": ("photo", self.content)}
        answer = self.explorer.ask("POST", "/encode", files=upload, data=said)
        x, y = answer.json()["items"][0]["mean"]
        code = f"mean {x:.2f}, {y:.2f};".replace("-", "−")
        expect(self.page.locator("#posterior")).to_contain_text(code)
        return code

    def expect_code_of_box(self) -> str:
        return self.expect_code_of(box=",".join(f"{share:.4f}" for share in self.box))


@pytest.fixture(scope="module", params=[MOUSE, TOUCH], ids=["mouse", "touch"])
def opened(request: pytest.FixtureRequest, resident: Visitor) -> Photo:
    return Photo(resident.open(**request.param))


@pytest.fixture
def photo(opened: Photo) -> Photo:
    """A picture of which the visitor has said nothing yet."""
    reset = opened.page.locator("#reset-photo")
    if reset.is_enabled():
        reset.click()
    opened.expect_code_of()
    return opened


def test_a_picture_comes_back_when_the_lessons_are_left(visitor: Visitor) -> None:
    photo = Photo(visitor.open(reduced_motion="reduce"))
    photo.page.locator("#tab-learn").click()
    photo.page.locator("[data-lesson=denoise-stacked]").click()
    expect(photo.page.locator("#photo")).to_be_hidden()
    photo.page.wait_for_url("**lesson=denoise-stacked**")
    photo.page.locator("#tab-learn").click()
    photo.page.locator("#leave-lessons").click()
    photo.page.locator("#tab-draw").click()
    expect(photo.page.locator("#photo-frame")).to_be_visible()
    photo.expect_code_of()


def test_a_tap_says_which_shape_is_meant(photo: Photo) -> None:
    of_seven = photo.expect_code_of()
    photo.tap(ON_ZERO)
    expect(photo.page.locator("#photo-at")).to_be_visible()
    expect(photo.page.locator("#step-shown")).to_contain_text("pointed at")
    assert photo.expect_code_of(at="{},{}".format(*ON_ZERO)) != of_seven
    photo.page.locator("#reset-photo").click()
    photo.expect_code_of()
    expect(photo.page.locator("#photo-at")).to_be_hidden()


def test_a_box_is_drawn_moved_and_resized(photo: Photo, resident: Visitor) -> None:
    of_seven = photo.expect_code_of()
    photo.drag(*AROUND_ZERO)
    (left, top), (right, bottom) = AROUND_ZERO
    assert photo.box == pytest.approx([left, top, right, bottom], abs=0.02)
    assert photo.expect_code_of_box() != of_seven
    photo.drag(ON_ZERO, (0.65, 0.63))
    assert photo.box == pytest.approx([0.47, 0.35, 0.88, 0.91], abs=0.02)
    photo.expect_code_of_box()
    photo.drag((0.48, 0.36), (0.54, 0.31))
    assert photo.box == pytest.approx([0.53, 0.3, 0.88, 0.91], abs=0.02)
    photo.expect_code_of_box()
    photo.tap((0.2, 0.4))
    assert photo.box == [0, 0, 1, 1], "a tap beside the box means a shape of the whole picture"
    photo.expect_code_of(at="0.2,0.4")
    resident.forgive("422")  # a box that begins to be drawn may hold nothing


def test_light_and_dark_and_brightness_are_as_the_visitor_says(photo: Photo) -> None:
    page = photo.page
    as_guessed = photo.expect_code_of()
    page.get_by_label("Light on dark").check()
    assert photo.expect_code_of(polarity="light-on-dark") != as_guessed
    page.get_by_label("Dark on light").check()
    photo.expect_code_of(polarity="dark-on-light")
    page.locator("#brightness").fill("-0.6")
    expect(page.locator("#brightness-shown")).to_have_text("−0.6")
    photo.expect_code_of(polarity="dark-on-light", brightness="-0.6")
    expect(page.locator("[data-step=brightened]")).to_be_visible()
    page.locator("#reset-photo").click()
    photo.expect_code_of()
    expect(page.get_by_label("Guess")).to_be_checked()


def test_the_steps_are_a_row_of_pictures_and_the_chosen_one_says_its_sentence(
    photo: Photo,
) -> None:
    """It comes after the other tests of the same page, for the visitor's choice of a step stays."""
    page = photo.page
    steps = page.locator("#steps button")
    names = steps.evaluate_all("(buttons) => buttons.map((button) => button.dataset.step)")
    assert names[0] == "read"
    assert {"inverted", "alone", "centred"} < set(names)
    tops = steps.evaluate_all("(buttons) => buttons.map((one) => one.getBoundingClientRect().top)")
    assert len(set(tops)) == 1, "they are in a row"
    expect(page.locator("#step-shown")).to_contain_text("another shape of like size")
    read = page.get_by_role("button", name="Read: A JPEG file of 640 x 480 pixels")
    read.click()
    expect(read).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#step-shown")).to_contain_text("A JPEG file of 640 x 480 pixels")


def test_the_box_is_moved_and_resized_by_the_keyboard(visitor: Visitor) -> None:
    photo = Photo(visitor.open())
    page = photo.page
    page.locator("#photo-box").focus()
    for _ in range(25):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert photo.box == pytest.approx([0.4, 0, 0.9, 1], abs=1e-6)
    expect(page.locator(".announcer").first).to_have_text(
        "Box: 40 to 90 % of the width, 0 to 100 % of the height."
    )
    page.keyboard.press("Shift+ArrowUp")
    assert photo.box == pytest.approx([0.4, 0, 0.9, 0.98], abs=1e-6)
    photo.expect_code_of_box()
    page.keyboard.press("Enter")
    expect(page.locator("#photo-at")).to_be_visible()
    photo.expect_code_of(box="0.4,0,0.9,0.98", at="0.65,0.49")


def test_what_is_said_quickly_is_asked_one_at_a_time_and_ends_with_the_newest(
    visitor: Visitor,
) -> None:
    photo = Photo(visitor.open())
    page = photo.page
    flying: list[Request] = []
    most: list[int] = []

    def start(request: Request) -> None:
        if request.url.endswith("/encode"):
            flying.append(request)
            most.append(len(flying))

    def end(request: Request) -> None:
        if request in flying:
            flying.remove(request)

    page.on("request", start)
    page.on("requestfinished", end)
    page.on("requestfailed", end)
    page.locator("#brightness").focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    photo.expect_code_of(brightness="0.8")
    assert max(most) == 1


def test_a_picture_that_the_browser_cannot_show_is_shown_as_the_server_read_it(
    visitor: Visitor,
) -> None:
    photo = Photo(visitor.open(), "TIFF")
    photo.tap(ON_ZERO)
    photo.expect_code_of(at="{},{}".format(*ON_ZERO))


def test_a_picture_makes_way_for_a_drawing_or_a_test_image(visitor: Visitor) -> None:
    page = Photo(visitor.open()).page
    expect(page.locator("#drawing")).to_be_hidden()
    page.locator("#clear-drawing").click()
    expect(page.locator("#drawing")).to_be_visible()
    expect(page.locator("#photo")).to_be_hidden()
    expect(page.locator("#encoding")).to_be_hidden()
    Photo(Explorer(page, visitor.home))
    page.locator("#random-image").click()
    expect(page.locator("#drawing")).to_be_visible()
    expect(page.locator("#photo")).to_be_hidden()


@pytest.mark.parametrize(
    ("profile", "color_scheme"), [(MOUSE, "dark"), (TOUCH, "light")], ids=["mouse", "touch"]
)
def test_a_picture_and_its_controls_break_no_accessibility_rule(
    visitor: Visitor, profile: dict[str, Any], color_scheme: str
) -> None:
    photo = Photo(visitor.open(**profile, color_scheme=color_scheme))
    photo.tap(ON_ZERO)
    photo.expect_code_of(at="{},{}".format(*ON_ZERO))
    found = Axe().run(photo.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("profile", [MOUSE, TOUCH], ids=["desktop", "phone"])
def test_a_picture_and_its_controls_are_in_reach_with_large_letters(
    visitor: Visitor, profile: dict[str, Any]
) -> None:
    size = {"viewport": profile["viewport"]}
    photo = Photo(visitor.open(**size, reduced_motion="reduce", before=with_large_letters))
    expect_in_reach(photo.explorer, "#panel-draw")

"""A walk between two points, and its film strip."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

STRIP_FRAME = """async (i) => {
    const frame = document.querySelectorAll('.path-strip.chosen .frames img')[i];
    await frame.decode();
    const canvas = new OffscreenCanvas(28, 28);
    const context = canvas.getContext('2d');
    context.drawImage(frame, 0, 0);
    return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
}"""


@pytest.fixture(scope="module")
def walk(resident: Visitor) -> Explorer:
    """A page with a walk; each test goes where it needs to on it."""
    explorer = resident.open(reduced_motion="reduce")
    explorer.page.locator("#tab-path").click()
    expect(explorer.page.locator("#scrub")).to_be_enabled()
    for lengths in explorer.page.locator(".path-strip [data-part=lengths]").all():
        expect(lengths).to_contain_text("changes by")  # nothing more is asked
    return explorer


def expect_frame(explorer: Explorer, index: int) -> None:
    """The point's picture is the strip's."""
    explorer.expect_pixels(explorer.page.evaluate(STRIP_FRAME, index))


def test_scrubbing_shows_the_frames_of_the_strip(walk: Explorer) -> None:
    scrub = walk.page.locator("#scrub")
    scrub.press("End")
    expect_frame(walk, 11)
    scrub.press("Home")
    expect_frame(walk, 0)
    for _ in range(6):
        scrub.press("ArrowRight")
    expect_frame(walk, 1)


def test_a_frame_of_the_strip_can_be_clicked(walk: Explorer) -> None:
    walk.page.locator(".path-strip.chosen .frames img").nth(5).click()
    expect_frame(walk, 5)


def test_a_walk_can_start_at_the_point(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0,0")
    explorer.page.locator("#tab-path").click()
    expect(explorer.page.locator("#scrub")).to_be_enabled()
    first = explorer.page.locator(".path-strip.chosen .frames img").first
    before = first.get_attribute("src") or ""
    explorer.page.locator("#start-here").click()
    expect(first).not_to_have_attribute("src", before)
    scrub = explorer.page.locator("#scrub")
    scrub.press("End")
    scrub.press("Home")
    explorer.expect_image_of([0, 0])


def test_the_walk_plays_when_asked_to(walk: Explorer) -> None:
    walk.page.locator("#scrub").press("Home")
    play = walk.page.locator("#play")
    play.click()
    walk.wait_until("() => Number(document.querySelector('#scrub').value) >= 3")
    play.click()
    expect(play).to_have_text("Play")


def test_every_kind_of_path_has_its_strip_and_its_steps(walk: Explorer) -> None:
    page = walk.page
    for kind in ("linear", "spherical", "geodesic"):
        strip = page.locator(f'.path-strip[data-kind="{kind}"]')
        expect(strip.locator("img[src]")).to_have_count(12)
        expect(strip.locator("[data-part=lengths]")).to_contain_text("changes by")
        assert (strip.locator(".steps path").get_attribute("d") or "").count("V") == 67


def test_a_geodesic_changes_less_at_once_than_the_straight_path(walk: Explorer) -> None:
    page = walk.page

    def greatest(kind: str) -> float:
        lengths = page.locator(f'.path-strip[data-kind="{kind}"] [data-part=lengths]')
        expect(lengths).to_contain_text("at most")
        return float((lengths.text_content() or "").split("at most ")[1].split()[0])

    assert greatest("geodesic") < 0.8 * greatest("linear")


def test_a_frame_of_another_kind_chooses_that_kind(walk: Explorer) -> None:
    frame = walk.page.locator('.path-strip[data-kind="geodesic"] img').nth(5)
    expect(frame).to_have_attribute("src", re.compile("^data:"))
    frame.click()
    expect(walk.page.get_by_role("radio", name="Geodesic")).to_be_checked()
    expect_frame(walk, 5)
    expect(walk.page).to_have_url(re.compile(r"walk=.*~geodesic"))


@pytest.mark.parametrize(
    ("kind", "start"), [("GIF", b"GIF89a"), ("WebP", b"RIFF"), ("Film strip", b"\x89PNG")]
)
def test_a_walk_is_saved_as_a_film(walk: Explorer, kind: str, start: bytes) -> None:
    page = walk.page
    with page.expect_download() as download:
        page.locator("#save-path").select_option(kind)
    file = download.value.path()
    assert file.read_bytes().startswith(start)
    assert download.value.suggested_filename.startswith("mnist-vae-2d-walk.")

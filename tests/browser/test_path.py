"""A walk between two points, and its film strip."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

STRIP_FRAME = """async (i) => {
    const frame = document.querySelectorAll('#strip img')[i];
    await frame.decode();
    const canvas = new OffscreenCanvas(28, 28);
    const context = canvas.getContext('2d');
    context.drawImage(frame, 0, 0);
    return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
}"""
DECODED_IS = """(wanted) => {
    const { data } = document.querySelector('#decoded').getContext('2d').getImageData(0, 0, 28, 28);
    return wanted.every((grey, i) => data[4 * i] === grey);
}"""


def open_walk(visitor: Visitor) -> Explorer:
    explorer = visitor.open(reduced_motion="reduce")
    explorer.page.locator("#tab-path").click()
    expect(explorer.page.locator("#scrub")).to_be_enabled()
    return explorer


def expect_frame(explorer: Explorer, index: int) -> None:
    """The point's picture is the strip's."""
    frame = explorer.page.evaluate(STRIP_FRAME, index)
    explorer.page.wait_for_function(DECODED_IS, arg=frame)


def test_scrubbing_shows_the_frames_of_the_strip(visitor: Visitor) -> None:
    explorer = open_walk(visitor)
    scrub = explorer.page.locator("#scrub")
    scrub.press("End")
    expect_frame(explorer, 11)
    scrub.press("Home")
    expect_frame(explorer, 0)
    for _ in range(6):
        scrub.press("ArrowRight")
    expect_frame(explorer, 1)


def test_a_frame_of_the_strip_can_be_clicked(visitor: Visitor) -> None:
    explorer = open_walk(visitor)
    explorer.page.locator("#strip img").nth(5).click()
    expect_frame(explorer, 5)


def test_the_walk_goes_between_the_chosen_ends(visitor: Visitor) -> None:
    explorer = visitor.open("?z=0,0")
    explorer.page.locator("#tab-path").click()
    scrub = explorer.page.locator("#scrub")
    expect(scrub).to_be_enabled()
    with explorer.page.expect_response("**/interpolate"):
        explorer.page.locator("#walk-start").select_option("the point")
    scrub.press("End")
    scrub.press("Home")
    explorer.expect_image_of([0, 0])


def test_the_walk_plays_when_asked_to(visitor: Visitor) -> None:
    explorer = open_walk(visitor)
    play = explorer.page.locator("#play")
    play.click()
    explorer.page.wait_for_function("Number(document.querySelector('#scrub').value) >= 3")
    play.click()
    expect(play).to_have_text("Play")

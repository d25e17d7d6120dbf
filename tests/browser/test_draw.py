"""An image of the visitor's own, drawn or dropped, and its posterior."""

import base64

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

DRAWN_PNG = "document.querySelector('#drawing').toDataURL('image/png').split(',')[1]"
DROP = """(png) => {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], 'digit.png', { type: 'image/png' }));
    const drop = new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true });
    document.querySelector('#map').dispatchEvent(drop);
}"""


def draw_a_seven(explorer: Explorer) -> None:
    explorer.page.locator("#tab-draw").click()
    sheet = explorer.page.locator("#drawing").bounding_box()
    assert sheet
    corners = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]
    places = [
        (sheet["x"] + x * sheet["width"], sheet["y"] + y * sheet["height"]) for x, y in corners
    ]
    mouse = explorer.page.mouse
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=15)
    mouse.up()


def expect_posterior_of(explorer: Explorer, image: bytes) -> None:
    """The page's ledger and its way to the code are what `/encode` answers for the image."""
    answer = explorer.ask("POST", "/encode", files={"file": ("digit.png", image, "image/png")})
    [item] = answer.json()["items"]
    total = explorer.page.locator("#elbo [data-part=total]")
    expect(total).to_have_text(f"{item['elbo']['total']:.1f}".replace("-", "−"))
    explorer.page.locator("#go-there").click()
    assert explorer.latent == pytest.approx(item["mean"], abs=1e-4)
    explorer.expect_image_of(item["mean"])


def test_a_drawn_digit_gets_its_posterior(visitor: Visitor) -> None:
    explorer = visitor.open()
    draw_a_seven(explorer)
    expect(explorer.page.locator("#encoding")).to_be_visible()
    drawn = base64.b64decode(explorer.page.evaluate(DRAWN_PNG))
    expect_posterior_of(explorer, drawn)
    expect(explorer.page.locator("#steps li")).not_to_have_count(0)


def test_the_posterior_is_painted_around_its_mean(visitor: Visitor) -> None:
    explorer = visitor.open(reduced_motion="reduce")
    explorer.page.locator("#tab-draw").click()
    before = plane_pixels(explorer)
    explorer.page.locator("#test-image input").fill("7")
    explorer.page.locator("#test-image button[type=submit]").click()
    expect(explorer.page.locator("#encoding")).to_be_visible()
    explorer.page.locator("#go-there").click()
    x, y = explorer.ring()
    after = plane_pixels(explorer)
    width = len(before[0])
    changed = [
        (column, row)
        for row, (old, new) in enumerate(zip(before, after, strict=True))
        for column in range(width)
        if old[column] != new[column]
    ]
    columns, rows = [c for c, _ in changed], [r for _, r in changed]
    assert (min(columns) + max(columns)) / 2 == pytest.approx(x, abs=1.5)
    assert (min(rows) + max(rows)) / 2 == pytest.approx(y, abs=1.5)


def plane_pixels(explorer: Explorer) -> list[list[int]]:
    """The map's canvas at one canvas pixel to one CSS pixel, rows of packed colours."""
    explorer.page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    rows: list[list[int]] = explorer.page.evaluate(
        """() => {
            const canvas = document.querySelector('#plane');
            const { width, height } = canvas;
            const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
            const words = new Uint32Array(data.buffer);
            const row = (y) => [...words.subarray(y * width, (y + 1) * width)];
            return Array.from({ length: height }, (_, y) => row(y));
        }"""
    )
    return rows


def test_a_dropped_image_gets_its_posterior(visitor: Visitor) -> None:
    explorer = visitor.open()
    address = f"{explorer.home}/api/v1/datasets/mnist/images/7.png"
    image = explorer.page.request.get(address).body()
    explorer.page.evaluate(DROP, base64.b64encode(image).decode())
    expect(explorer.page.locator("#tab-draw")).to_have_attribute("aria-selected", "true")
    expect(explorer.page.locator("#encoding")).to_be_visible()
    expect_posterior_of(explorer, image)


def test_a_dropped_file_that_is_no_image_is_refused_in_words(visitor: Visitor) -> None:
    explorer = visitor.open()
    with explorer.page.expect_response("**/encode") as refused:
        explorer.page.evaluate(DROP, base64.b64encode(b"not an image").decode())
    assert refused.value.status == 422
    problem = explorer.page.locator("#draw-problem")
    expect(problem).to_have_text(refused.value.json()["detail"])
    # The browser itself reports every refused request on its console.
    assert visitor.complaints.pop().startswith("Failed to load resource")

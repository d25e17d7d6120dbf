"""An image of the visitor's own, drawn or dropped, and its posterior."""

import base64
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

DRAWN_PNG = "document.querySelector('#drawing').toDataURL('image/png').split(',')[1]"
HOLD = """
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], 'digit.png', { type: 'image/png' }));
    const how = { bubbles: true, cancelable: true };
"""
DROP = f"""(png) => {{{HOLD}
    const drop = new DragEvent('drop', {{ dataTransfer: files, ...how }});
    document.querySelector('#map').dispatchEvent(drop);
}}"""
PASTE = f"""(png) => {{{HOLD}
    document.body.dispatchEvent(new ClipboardEvent('paste', {{ clipboardData: files, ...how }}));
}}"""

PLANE_PIXELS = """() => {
    const { width, height } = document.querySelector('#plane');
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(document.querySelector('#plane'), 0, 0);
    return new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
}"""
CHANGED_BOX = f"""async () => {{
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const after = ({PLANE_PIXELS})();
    const width = document.querySelector('#plane').width;
    const xs = [], ys = [];
    after.forEach((colour, i) => {{
        if (colour !== window.before[i]) xs.push(i % width), ys.push(Math.floor(i / width));
    }});
    return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
}}"""


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
    cells = explorer.page.locator("#elbo [data-part]")
    expect(cells.first).to_have_text(f"{item['elbo']['reconstruction']:.2f}".replace("-", "−"))
    reconstruction, kl, total = (
        Decimal(text.replace("−", "-")) for text in cells.all_text_contents()
    )
    assert total == reconstruction - kl
    assert float(total) == pytest.approx(item["elbo"]["total"], abs=0.011)
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
    explorer.page.wait_for_load_state("networkidle")  # all that lies behind it is there
    explorer.page.evaluate(f"window.before = ({PLANE_PIXELS})()")
    explorer.page.locator("#test-image input").fill("7")
    explorer.page.locator("#test-image button[type=submit]").click()
    expect(explorer.page.locator("#encoding")).to_be_visible()
    left, top, right, bottom = explorer.page.evaluate(CHANGED_BOX)
    mean = explorer.codes()[7]
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(
        explorer.place_of(mean), abs=1.5
    )


@pytest.mark.parametrize("hand_over", [DROP, PASTE], ids=["dropped", "pasted"])
def test_an_image_that_is_dropped_or_pasted_gets_its_posterior(
    visitor: Visitor, hand_over: str
) -> None:
    explorer = visitor.open()
    address = f"{explorer.home}/api/v1/datasets/mnist/images/7.png"
    image = explorer.page.request.get(address).body()
    explorer.page.evaluate(hand_over, base64.b64encode(image).decode())
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

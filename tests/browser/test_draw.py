"""An image of the visitor's own, drawn or dropped, and its posterior."""

import base64
import json
from decimal import Decimal

import numpy as np
import pytest
from playwright.sync_api import Request, expect

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

GREY_LEVELS = """async (selector) => {
    const image = document.querySelector(selector);
    await image.decode();
    const context = new OffscreenCanvas(28, 28).getContext('2d');
    context.drawImage(image, 0, 0, 28, 28);
    return [...context.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
}"""

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
    """The page's ELBO and the posterior on its map are what `/encode` answers for the image."""
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


def test_a_drawing_has_its_posterior_and_outlasts_a_reload_and_the_lessons_and_no_other_image(
    visitor: Visitor,
) -> None:
    explorer = visitor.open(reduced_motion="reduce")
    page = explorer.page
    draw_a_seven(explorer)
    expect(page.locator("#encoding")).to_be_visible()
    expect(page.locator("#steps li")).not_to_have_count(0)
    drawn = page.evaluate(DRAWN_PNG)
    expect_posterior_of(explorer, base64.b64decode(drawn))
    page.reload()
    expect_posterior_of(explorer, base64.b64decode(drawn))
    assert page.evaluate(DRAWN_PNG) == drawn
    for lesson in ("denoise-stacked", "hole-ae"):
        page.locator("#tab-learn").click()
        page.locator(f"[data-lesson={lesson}]").click()
        page.wait_for_url(f"**lesson={lesson}**")
    assert page.evaluate(DRAWN_PNG) != drawn
    page.locator("#leave-lessons").click()
    page.locator("#tab-draw").click()
    expect_posterior_of(explorer, base64.b64decode(drawn))
    assert page.evaluate(DRAWN_PNG) == drawn
    page.get_by_role("button", name="Take it").click()
    page.wait_for_url("**image=0**")
    page.reload()
    expect(page.locator("#encoding")).to_be_visible()
    assert page.evaluate(DRAWN_PNG) != drawn


def test_a_pen_that_only_touches_the_sheet_draws_a_dot(visitor: Visitor) -> None:
    explorer = visitor.open()
    explorer.page.locator("#tab-draw").click()
    explorer.page.locator("#drawing").click(position={"x": 60, "y": 60})
    expect(explorer.page.locator("#encoding")).to_be_visible()
    expect_posterior_of(explorer, base64.b64decode(explorer.page.evaluate(DRAWN_PNG)))


def test_the_posterior_is_painted_around_its_mean_with_its_neighbours(visitor: Visitor) -> None:
    explorer = visitor.open(reduced_motion="reduce")
    explorer.page.locator("#tab-draw").click()
    explorer.page.wait_for_load_state("networkidle")  # all that lies behind it is there
    explorer.page.evaluate(f"window.before = ({PLANE_PIXELS})()")
    explorer.page.locator("#test-image input").fill("7")
    explorer.page.locator("#test-image button[type=submit]").click()
    expect(explorer.page.locator("#encoding")).to_be_visible()
    left, top, right, bottom = explorer.page.evaluate(CHANGED_BOX)
    codes = explorer.codes()
    z = ",".join(map(str, codes[7]))
    near = explorer.ask("GET", f"/neighbours?z={z}&k=40").json()["neighbours"]
    marks = [(*explorer.place_of(codes[7]), 9.0)]  # half of the cross
    marks += [(*explorer.place_of(codes[one["index"]]), 4.0) for one in near]
    expected = (
        min(x - reach for x, _, reach in marks),
        min(y - reach for _, y, reach in marks),
        max(x + reach for x, _, reach in marks),
        max(y + reach for _, y, reach in marks),
    )
    assert (left, top, right, bottom) == pytest.approx(expected, abs=3.5)


def test_an_image_that_is_dropped_or_pasted_gets_its_posterior(visitor: Visitor) -> None:
    explorer = visitor.open()
    for hand_over, index in ((DROP, 7), (PASTE, 8)):
        address = f"{explorer.home}/api/v1/datasets/mnist/images/{index}.png"
        image = explorer.page.request.get(address).body()
        explorer.page.locator("#tab-point").click()
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


def test_noise_goes_onto_the_numbers_that_are_encoded_and_its_removal_is_measured(
    visitor: Visitor,
) -> None:
    explorer = visitor.open("?panel=draw&image=7")
    page = explorer.page
    expect(page.locator("#encoding")).to_be_visible()
    expect(page.locator("#removed")).to_be_hidden()
    clean = np.array(page.evaluate(GREY_LEVELS, "#encoded-input")) / 255
    numbers: list[np.ndarray] = []
    page.on("request", lambda request: note_numbers(request, numbers))
    page.locator("#noise").fill("0.5")
    expect(page.locator("#removed")).to_be_visible()
    expect(page.locator("#elbo")).to_be_hidden()
    shown = np.array(page.evaluate(GREY_LEVELS, "#encoded-clean")) / 255
    assert shown == pytest.approx(clean)
    [noisy] = numbers
    added = (noisy - clean)[clean == 0]  # hundreds of pixels, of which half stay at 0
    assert added.std() > 0.15
    before, after = page.locator("#removed [data-part]").all_text_contents()
    assert float(before) == pytest.approx(np.sqrt(np.mean((noisy - clean) ** 2)), abs=1e-3)
    output = np.array(page.evaluate(GREY_LEVELS, "#encoded-output")) / 255
    assert float(after) == pytest.approx(np.sqrt(np.mean((output - clean) ** 2)), abs=1e-3)
    page.locator("#noise").fill("0")
    expect(page.locator("#elbo")).to_be_visible()
    expect(page.locator("#encoded-clean")).to_be_hidden()


def note_numbers(request: Request, numbers: list[np.ndarray]) -> None:
    if request.url.endswith("/encode") and "json" in (request.header_value("content-type") or ""):
        body = json.loads(request.post_data or "")
        numbers.append(np.array(body["images"][0]).ravel())


def test_clothes_are_named_in_words_and_their_test_images_taken(visitor: Visitor) -> None:
    explorer = visitor.open("?model=fashion-vae-2d&panel=draw")
    page = explorer.page
    keys = page.locator("#legend [data-digit]").all_text_contents()
    assert keys[1] == "Trousers"
    assert len(set(keys)) == 10
    expect(page.locator("#drawing-hint")).to_contain_text("garment")
    with page.expect_request("**/datasets/fashion-mnist/images/7.png"):
        page.locator("#test-image input").fill("7")
        page.locator("#test-image button[type=submit]").click()
    expect(page.locator("#encoding")).to_be_visible()
    page.locator("#tab-path").click()
    expect(page.locator("#path-start option").first).to_have_text("a T-shirt")
    with page.expect_websocket():
        explorer.choose("mnist-vae-2d")
    expect(page.locator("#legend [data-digit]").first).to_have_text("0")

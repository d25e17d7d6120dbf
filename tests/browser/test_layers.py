"""What lies over the tiles: codes, test images, names, fields."""

import io
import re
from typing import Any

import httpx
import numpy as np
import pytest
from jaxtyping import Float
from PIL import Image
from playwright.sync_api import Route, expect

from tests.browser.camera import INKED, PIXELS_OF, STILL, at_rest, whole
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

# An image on the map: 32 pixels a side, in an edge of two.
INNER, EDGE = 32, 2
FRAMED = """([x, y, side]) => {
    const canvas = new OffscreenCanvas(side + 2, side + 2);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(document.querySelector('#plane'), 1 - x, 1 - y);
    const colour = (at) => `${context.getImageData(at, at, 1, 1).data}`;
    const [outside, first, last] = [0, 1, side].map(colour);
    return first === last && first !== outside;
}"""


def test_a_layer_is_switched_off_and_on_and_its_opacity_shows(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2", color_scheme="dark")
    page = explorer.page
    whole(explorer)
    colours = {"as it is": page.evaluate(INKED)}
    page.locator("#open-layers").click()
    switches = page.get_by_role("switch")
    layers = (
        "Decoded images",
        "Regions of the labels",
        "Codes of test images",
        "Names of the labels",
    )
    for name in layers:
        switches.and_(page.get_by_role("switch", name=name)).uncheck()
    at_rest(explorer)
    colours["bare"] = page.evaluate(INKED)
    assert colours["bare"] < 0.3 * colours["as it is"]
    page.get_by_role("switch", name="Decoded images").check()
    opacity = page.get_by_role("slider", name="Opacity: Decoded images")
    opacity.fill("10")
    at_rest(explorer)
    assert page.evaluate(INKED) < colours["as it is"] / 2
    page.locator("#reset-layers").click()
    at_rest(explorer)
    assert page.evaluate(INKED) == pytest.approx(colours["as it is"], rel=0.02)


def test_a_field_is_fetched_when_it_is_switched_on_and_says_its_scale(visitor: Visitor) -> None:
    explorer = visitor.open("?z=2,2")
    page = explorer.page
    page.locator("#open-layers").click()
    computing = page.locator("#layers [data-layer=density] [data-part=computing]")
    expect(computing).to_be_hidden()
    held: list[Route] = []
    page.route("**/fields/density.png?v=*", lambda route: held.append(route))
    page.get_by_role("switch", name="Density of the codes").check()
    expect(computing).to_be_visible()
    with page.expect_response("**/fields/density.png?v=*") as answer:
        held[0].continue_()
    expect(computing).to_be_hidden()
    covered, map_ends = (page.locator(part).bounding_box() for part in ("#layers", "#clear"))
    assert covered
    assert map_ends
    assert covered["x"] >= map_ends["x"] + map_ends["width"], "it lies on the panel"
    ramp = page.locator("#layers [data-layer=density] .ramp")
    expect(ramp).to_be_visible()
    high = re.search(r"high=([\d.e+-]+)", answer.value.headers["explorer-field"])
    assert high
    expect(ramp).to_contain_text(f"{float(high[1]):.3g}"[:4])
    expect(ramp).to_contain_text("per squared unit")


def test_deep_in_the_map_codes_become_their_own_images(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    u, v = explorer.codes()[1234]
    with explorer.page.expect_response("**/datasets/mnist/sprites/1.png"):
        explorer.page.goto(f"{explorer.home}/?z={u},{v}&at={u},{v},60&layers=tiles~off")
    explorer.page.locator("#plane[data-state=painted]").wait_for()


def loneliest(codes: np.ndarray, among: range) -> int:
    """The index of the code that is farthest from its nearest neighbour, near the middle."""
    inner = [index for index in among if np.hypot(*codes[index]) < 2]
    apart = [np.partition(np.hypot(*(codes - codes[index]).T), 1)[1] for index in inner]
    return inner[int(np.argmax(apart))]


def image_of(explorer: Explorer, index: int) -> Float[np.ndarray, "32 32"]:
    """A test image as the API tells it, at the size that it has on the map."""
    url = f"{explorer.home}/api/v1/datasets/mnist/images/{index}.png"
    answer = httpx.get(url, trust_env=False, timeout=30).raise_for_status()
    image = Image.open(io.BytesIO(answer.content)).convert("L")
    return np.asarray(image.resize((INNER, INNER), Image.Resampling.BILINEAR), float)


@pytest.mark.parametrize(("scheme", "sign"), [("dark", 1), ("light", -1)])
def test_at_its_code_a_test_image_is_painted_and_no_other(
    visitor: Visitor, scheme: Any, sign: int
) -> None:
    codes = np.array(visitor.open(STILL).codes())
    index = loneliest(codes, range(1024, 2048))
    u, v = codes[index].tolist()
    only_images = "layers=tiles~off,label~off,prior~off,names~off"
    explorer = visitor.open(f"?z=3,3&at={u},{v},60&{only_images}", color_scheme=scheme)
    at_rest(explorer)
    x, y = explorer.place_of([u, v])
    left, above = round(x - INNER / 2), round(y - INNER / 2)
    explorer.wait_until(FRAMED, [left - EDGE, above - EDGE, INNER + 2 * EDGE])
    painted = np.array(explorer.page.evaluate(PIXELS_OF, [left, above, INNER]), float).mean(1)

    def likeness(other: int) -> float:
        return sign * float(np.corrcoef(painted, image_of(explorer, other).ravel())[0, 1])

    assert likeness(index) > 0.9
    # A sheet has 32 images a row: its neighbours there, and the same place of another sheet.
    others = (index - 1, index + 1, index - 32, index + 32, index - 1024)
    assert max(map(likeness, others)) < 0.8


def test_each_image_on_the_map_has_the_spread_of_its_posterior(visitor: Visitor) -> None:
    explorer = visitor.open(STILL)
    codes = np.array(explorer.codes())
    index = loneliest(codes, range(1024, 2048))
    u, v = codes[index].tolist()
    image = httpx.get(
        f"{explorer.home}/api/v1/datasets/mnist/images/{index}.png", trust_env=False, timeout=30
    )
    encode = f"{explorer.home}/api/v1/models/mnist-vae-2d/encode?include=covariance"
    answer = httpx.post(encode, files={"file": image.content}, trust_env=False, timeout=30)
    covariance = np.array(answer.raise_for_status().json()["items"][0]["covariance"])
    explorer = visitor.open(f"?z=3,3&at={u},{v},60&layers=tiles~off,label~off,prior~off,names~off")
    at_rest(explorer)
    explorer.wait_until("() => Number(document.querySelector('#plane').dataset.spreads) > 0")
    # The ellipse of one standard deviation ends here, to the right, and the image long before.
    along, down = covariance[0] / np.sqrt(covariance[0, 0])
    x, y = explorer.place_of([u + along, v + down])
    from_image = x - explorer.place_of([u, v])[0]
    assert from_image > 2 * INNER

    def darkest(left: float) -> float:
        places = [round(left), round(y) - 4, 9]
        return float(np.min(np.array(explorer.page.evaluate(PIXELS_OF, places), float)))

    at_end, beyond, within = (darkest(x + shift) for shift in (-4, 8, -from_image / 2))
    assert at_end < min(beyond, within) - 40, "a line in the colour of the label"

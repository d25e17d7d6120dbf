"""A model without a plane: no map, but its images are encoded and read back."""

import base64
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.browser.answers import Json, copy_of, with_models
from tests.browser.conftest import Visitor
from tests.browser.explorer import Explorer

MODEL = "words"
INDICES = [[(7 * row + column) % 32 for column in range(7)] for row in range(7)]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}


def add_words(cards: list[Json]) -> None:
    cards.append(
        copy_of(
            cards, "mnist-vae-2d", id=MODEL, title="Words", family="vqvae", planes=[], latent_dim=49
        )
    )


def answer_encode(route: Route) -> None:
    """Encode by another model, and make its answer one of codebook entries."""
    response = route.fetch(url=route.request.url.replace(MODEL, "mnist-ae-2d"))
    answer = response.json()
    for item in answer["items"]:
        item.update(mean=None, covariance=None, indices=INDICES)
    route.fulfill(response=response, json=answer)


def prepare(page: Page) -> None:
    with_models(add_words)(page)
    page.route(f"**/models/{MODEL}/encode", answer_encode)


def open_words(visitor: Visitor, viewport: dict[str, int] = DESKTOP) -> Explorer:
    explorer = visitor.open("?z=0.5,-0.5", before=prepare, viewport=viewport)
    explorer.choose(MODEL)
    expect(explorer.page.locator("#codebook")).to_be_visible()
    expect(explorer.page.locator("#codebook td")).to_have_count(49)
    return explorer


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_model_without_a_plane_shows_its_entries_in_the_place_of_the_map(
    visitor: Visitor, viewport: dict[str, int]
) -> None:
    explorer = open_words(visitor, viewport)
    cells = explorer.page.locator("#codebook td").all_text_contents()
    assert [int(cell) for cell in cells] == [entry for row in INDICES for entry in row]
    expect(explorer.page.locator("#codebook")).to_contain_text("32 different entries in 49 places")
    expect(explorer.page.locator("#codebook table")).to_be_in_viewport(ratio=1)
    for gone in ("#ring", "#legend", "#tab-point", "#tab-path", "#go-there"):
        expect(explorer.page.locator(gone)).to_be_hidden()
    found = Axe().run(explorer.page)
    assert found.violations_count == 0, found.generate_report()


def test_a_test_image_is_there_at_once_and_a_file_of_ones_own_takes_its_place(
    visitor: Visitor, tmp_path: Path
) -> None:
    explorer = open_words(visitor)
    shown = explorer.page.locator("#encoded-input")
    first = shown.get_attribute("src") or ""
    address = f"{explorer.home}/api/v1/datasets/mnist/images/0.png"
    expect_same_image(explorer, first, explorer.page.request.get(address).body())
    seven = explorer.page.request.get(address.replace("/0.png", "/7.png")).body()
    (tmp_path / "seven.png").write_bytes(seven)
    explorer.page.locator("#image-file").set_input_files(tmp_path / "seven.png")
    expect(shown).not_to_have_attribute("src", first)
    expect_same_image(explorer, shown.get_attribute("src") or "", seven)


def expect_same_image(explorer: Explorer, address: str, content: bytes) -> None:
    same = """async (addresses) => {
        const [one, other] = await Promise.all(addresses.map(async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            const context = new OffscreenCanvas(28, 28).getContext('2d');
            context.drawImage(image, 0, 0, 28, 28);
            return context.getImageData(0, 0, 28, 28).data.join();
        }));
        return one === other;
    }"""
    wanted = "data:image/png;base64," + base64.b64encode(content).decode()
    assert explorer.page.evaluate(same, [address, wanted])


def test_the_map_comes_back_with_the_point_where_it_was(visitor: Visitor) -> None:
    explorer = open_words(visitor)
    with explorer.page.expect_websocket():
        explorer.choose("mnist-vae-2d")
    expect(explorer.page.locator("#codebook")).to_be_hidden()
    explorer.expect_image_of([0.5, -0.5])
    place = explorer.middle(0.4, -0.3)
    explorer.page.mouse.click(*place)
    explorer.expect_image_of(explorer.latent_at(*place))

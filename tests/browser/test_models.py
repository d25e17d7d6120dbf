"""Choosing among the models: each shows its own plane, and dragging moves in that plane."""

from playwright.sync_api import expect

from tests.browser.conftest import Visitor


def test_every_model_can_be_chosen_and_dragged_in_its_plane(visitor: Visitor) -> None:
    explorer = visitor.open()
    choices = explorer.page.locator("#models input")
    names = {choices.nth(i).input_value() for i in range(choices.count())}
    assert {"mnist-vae-2d", "mnist-vae-20d"} <= names
    for name in sorted(names, key=explorer.model.__eq__):  # the default again, last
        with explorer.page.expect_websocket():  # its stream opens once its map is there
            explorer.page.locator(f"#models label:has(input[value={name}])").click()
        place = explorer.middle(0.4, -0.3)
        explorer.page.mouse.click(*place)
        explorer.expect_image_of(explorer.latent_at(*place))


def test_the_20_d_model_names_its_axes_and_shows_all_twenty_numbers(visitor: Visitor) -> None:
    explorer = visitor.open("?model=mnist-vae-20d")
    expect(explorer.page.locator("#readout dt")).to_have_text(["axis 1", "axis 2"])
    bars = explorer.page.locator("#latent-bars")
    expect(bars).to_be_visible()
    expect(bars.locator("i")).to_have_count(20)
    assert len(explorer.latent) == 20

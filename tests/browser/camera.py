"""What the map shows, once it rests."""

from tests.browser.explorer import Explorer

STILL = "?z=2,2"
INKED = """() => {
    const canvas = document.querySelector('#plane');
    const context = new OffscreenCanvas(400, 400).getContext('2d');
    context.drawImage(canvas, -400, -300);
    const { data } = context.getImageData(0, 0, 400, 400);
    let inked = 0;
    for (let i = 0; i < data.length; i += 4) inked += data[i] > 60;
    return inked;
}"""
PIXELS_OF = """([x, y, side]) => {
    const context = new OffscreenCanvas(side, side).getContext('2d');
    context.drawImage(document.querySelector('#plane'), -x, -y);
    const { data } = context.getImageData(0, 0, side, side);
    return Array.from({ length: side * side }, (_, i) => [...data.slice(4 * i, 4 * i + 3)]);
}"""


def whole(explorer: Explorer) -> None:
    """Wait until every tile and every field of the view is painted."""
    explorer.wait_until("""() => {
        const { tiles, fields } = document.querySelector('#plane').dataset;
        return tiles === 'whole' && fields === 'whole';
    }""")


def at_rest(explorer: Explorer) -> list[float]:
    """Wait until the camera rests; return what the map shows."""
    explorer.page.evaluate("() => { globalThis.resting = null; }")
    explorer.wait_until("""() => {
        const { view } = document.querySelector('#map').dataset;
        const { last, since } = globalThis.resting ?? {};
        globalThis.resting = { last: view, since: last === view ? (since ?? 0) + 1 : 0 };
        return globalThis.resting.since > 8;
    }""")
    shown = explorer.page.locator("#map").get_attribute("data-view") or ""
    return [float(number) for number in shown.split(",")]


def width(view: list[float]) -> float:
    return view[2] - view[0]

"""Find the stroke of a digit in a photograph, a scan or a drawing, with NumPy alone.

The ground is evened: light falls off, shadows end, lamps glare. Then what lies on it is taken apart
into connected pieces. Ruled lines, what runs over the edge, drawn boxes and specks are no digit.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from model.data.pieces import Pieces, pieces_of

Image = Float[np.ndarray, "height width"]
"""Grey levels in [0, 1]."""
Levels = UInt8[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]
Places = Int[np.ndarray, " pixels"]

SMALLEST = 64
"""Pixels of the shorter side from which on light is told from ink, and rules from strokes."""
PLAIN = 1
"""Levels from that of a drawn ground to another of it; those of a photograph lie farther."""
WINDOW = 0.25
"""Of the shorter side. No stroke is as wide, so that a closing takes each away."""

TILES = 2
"""Rows and columns of tiles that are looked at for the ground."""
DARKEST = 0.05
"""The level from which light is told from less light."""

SLOPES = np.tan(np.radians(np.arange(-3, 3.1, 0.5)))
"""How far out of plumb ruled lines may be."""
THIN = 0.016
"""Of the longer side: how thick a ruled line is at most. A pen's stroke is thicker."""
RULE = 0.4
"""Of the length of a row: how much of it a ruled line covers at least; strokes break it."""
RULE_WIDTH = 3
"""Pixels: what is thinner goes with the ruled lines."""
END = 0.2
"""The same, of the first and the last fifth of a row."""

EDGE = 0.9
"""Of a side: what reaches the edge of a drawing and is as long is its frame, not a stroke."""
MARGIN = 0.02
"""Of the shorter side of a photograph: what comes so near to the edge runs over it."""
SPECK = 0.2
"""Of the longest piece: what is smaller is no digit."""
NEAR = 0.12
"""Of the digit's size: so near to it lie its other strokes."""
ABOVE = 0.25
"""The same, above and below it, where another digit is not."""
STROKE_AREA = 0.01
"""Of the digit's area: what a stroke near it has at least."""
LIKE = 0.5
"""Of the digit's size: another piece of this size could have been meant."""


def border_of(image: Image) -> Float[np.ndarray, " border"]:
    """Return the outermost pixels, the corners twice."""
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def is_plain(levels: Levels) -> bool:
    """Return whether the ground is of one level, as that of a drawing, and needs no evening.

    So it is where two fifths of the border and a fifth of the whole are of one level, and none
    between it and the stroke's has much of the border, as the shade of a hard shadow has.
    """
    if min(levels.shape) < SMALLEST:
        return True
    border = np.bincount(border_of(levels), minlength=256)
    alike = np.convolve(border, np.ones(2 * PLAIN + 1), "same")
    ground = int(np.argmax(alike))
    darkest, lightest = int(levels.min()), int(levels.max())
    stroke = darkest if ground - darkest > lightest - ground else lightest
    between = np.abs(np.arange(256) - ground)
    is_shade = (between > 2 * PLAIN) & (between < 0.75 * abs(stroke - ground))
    if alike[ground] < 0.4 * border.sum() or alike[is_shade].max(initial=0) > border.sum() / 12:
        return False
    low, high = max(ground - PLAIN, 0), min(ground + PLAIN, 255)
    return bool(np.count_nonzero((levels >= low) & (levels <= high)) > 0.2 * levels.size)


def odd_moment(distance: Image) -> float:
    """Return the sum of the fifth powers, whose sign is that of what lies far from the ground.

    Shadows and glare differ less from it than ink.
    """
    return float((distance * (distance * distance) ** 2).sum())


def is_dark_on_light(image: Image) -> bool:
    """Return whether the stroke is darker than the ground, by area and not by an extreme.

    Most of each tile is ground, and the stroke is a tail of its levels. Their logarithms tell ink,
    which takes the same share of any light, from shadows, which take less.
    """
    exposure = np.log(np.maximum(image, DARKEST))
    tiles = (
        tile
        for rows in np.array_split(exposure, TILES)
        for tile in np.array_split(rows, TILES, axis=1)
        if tile.size
    )
    return sum(odd_moment(tile - _median(tile)) for tile in tiles) < 0


def evened(image: Image) -> Image:
    """Return how strongly each pixel is inked, in [0, 1], whatever light falls on it.

    The image is light on dark; its negative is a sheet. A closing of the sheet fills every stroke
    narrower than `WINDOW`, and keeps the edges of shadows. Ink is the share of that light which
    is missing, above the median of all pixels, which are mostly paper.

    Source: Serra 1982, "Image Analysis and Mathematical Morphology", for the closing.
    """
    sheet = 1 - image
    half = max(1, round(WINDOW * min(image.shape) / 2))
    levels = np.asarray(np.floor(255 * softened(sheet) + 0.5), np.uint8)
    light = 255 - _largest(255 - _largest(levels, half), half)
    missing = 1 - 255 * sheet / np.maximum(light, 1)
    return np.asarray(np.clip(missing - _median(missing), 0, 1))


def _median(image: Image) -> float:
    """Return the median, near enough, of every other pixel of every other row."""
    some = image[::2, ::2].ravel()
    return float(np.partition(some, some.size // 2)[some.size // 2])


def softened(image: Image) -> Image:
    """Return the means over 3 x 3 pixels."""
    for _ in range(2):
        padded = np.pad(image, ((1, 1), (0, 0)), mode="edge")
        image = ((padded[:-2] + padded[1:-1] + padded[2:]) / 3).T
    return image


def _largest(image: Levels, reach: int) -> Levels:
    """Return the largest level up to `reach` pixels away, along rows and columns, by doubling."""
    for _ in range(2):
        padded, window = np.pad(image, ((reach, reach), (0, 0)), mode="edge"), 1
        while window < 2 * reach + 1:
            step = min(window, 2 * reach + 1 - window)
            padded, window = np.maximum(padded[:-step], padded[step:]), window + step
        image = padded.T
    return image


def chosen(
    ink: Mask, *, plain: bool, at: tuple[float, float] | None = None
) -> tuple[Mask, list[str]]:
    """Return where the digit lies, and what else was seen and left out, in words.

    The digit is the largest piece that is no ruled line, does not run over the edge, and is no box
    around another; or it is what lies at a place, given in shares of width and height. What is near
    belongs to it. On a plain ground a stroke may reach the edge.
    """
    left_out = []
    clear = ink if min(ink.shape) < SMALLEST else _without_rules(ink)
    if clear is not ink:
        left_out.append("ruled lines")
    pieces = pieces_of(clear)
    size = pieces.size
    if at is not None:
        digit = pieces.nearest(at)
        kept = _strokes_of(pieces, digit, size < LIKE * size[digit])
        return _around(pieces, kept), ["all but the shape that you pointed at"]
    if len(size) == 1:
        return _around(pieces, np.ones(1, bool)), left_out
    is_framing = pieces.at_edge(0) & (size >= EDGE * min(ink.shape))
    inside = ~(is_framing if plain else pieces.at_edge(round(MARGIN * min(ink.shape))))
    if size[inside].max(initial=0) < SPECK * min(size.max(), min(ink.shape)):
        inside[:] = True
    elif not inside.all():
        left_out.append("what runs over the edge")
    digit = _largest_of(pieces, inside)
    is_box = inside & _is_box(pieces, size > LIKE * size[digit])
    if is_box.any():
        left_out.append("a box around the digit")
        inside &= ~is_box
        digit = _largest_of(pieces, inside)
    kept = _strokes_of(pieces, digit, inside)
    others = inside & ~kept
    if (size[others] > LIKE * size[digit]).any():
        left_out.append("another shape of like size, of which the larger was taken")
    elif others.any():
        left_out.append("specks")
    return _around(pieces, kept), left_out


def _strokes_of(
    pieces: Pieces, digit: int, among: Bool[np.ndarray, " pieces"]
) -> Bool[np.ndarray, " pieces"]:
    """Return a piece with its other strokes: what is near it, or near what is.

    A shape of like size beside it is another digit; above or below it is a stroke of a broken one.
    """
    like = pieces.size > LIKE * pieces.size[digit]
    among = among & (pieces.area > STROKE_AREA * pieces.area[digit])
    kept = np.arange(len(among)) == digit
    while True:
        box = pieces.box_of(kept)
        beside = pieces.beside(box)
        near = pieces.near(box, round(NEAR * box.size)) & ~(like & beside)
        near |= pieces.near(box, round(ABOVE * box.size)) & ~beside
        more = among & near & ~kept
        if not more.any():
            return np.asarray(kept)
        kept |= more


def pointed_at(shown: Mask, at: tuple[float, float]) -> Mask:
    """Return the connected piece nearest to a place, given in shares of width and height."""
    pieces = pieces_of(shown)
    return _around(pieces, np.arange(len(pieces.area)) == pieces.nearest(at))


def _is_box(pieces: Pieces, among: Bool[np.ndarray, " pieces"]) -> Bool[np.ndarray, " pieces"]:
    """Return which of some pieces have four corners and another piece inside that is no speck."""
    found = np.zeros_like(among)
    for piece in map(int, np.flatnonzero(among)):
        within = pieces.within(piece) & (pieces.size > SPECK * pieces.size[piece])
        found[piece] = within.any() and pieces.has_corners(piece)
    return found


def _largest_of(pieces: Pieces, among: Bool[np.ndarray, " pieces"]) -> int:
    """Return the piece that is largest in length and in area."""
    return int(np.argmax(among * pieces.size * np.sqrt(pieces.area)))


def _around(pieces: Pieces, kept: Bool[np.ndarray, " pieces"]) -> Mask:
    """Return where some pieces lie, with two pixels around them, where a stroke fades."""
    box = pieces.box_of(kept)
    around = np.s_[max(box.top - 2, 0) : box.bottom + 2, max(box.left - 2, 0) : box.right + 2]
    ink = pieces.mask_of(kept)[around]
    upright = ink.copy()
    for reach in (1, 2):
        upright[reach:] |= ink[:-reach]
        upright[:-reach] |= ink[reach:]
    grown = upright.copy()
    for reach in (1, 2):
        grown[:, reach:] |= upright[:, :-reach]
        grown[:, :-reach] |= upright[:, reach:]
    mask = np.zeros(pieces.ink.shape, bool)
    mask[around] = grown
    return mask


def _without_rules(ink: Mask) -> Mask:
    """Return the ink without ruled lines, if there are any, and without what is as thin.

    What is left of a line between strokes is thin too; where the digit itself is, it is kept.
    """
    level, upright = _level_rules(ink), _level_rules(ink.T)
    clear = ink.copy()
    clear[level] = False
    clear.T[upright] = False
    if not (len(level[0]) or len(upright[0])) or not clear.any():
        return ink
    thick = _tall(_tall(clear, RULE_WIDTH).T, RULE_WIDTH).T
    longest = pieces_of(thick).size.max(initial=0)
    return thick if longest > SPECK * min(ink.shape) else clear


def _level_rules(ink: Mask) -> tuple[Places, Places]:
    """Return where nearly level straight lines run from edge to edge, but where strokes cross.

    Rows are counted along each slope that parallel rules may have; the slope with the sharpest
    peaks is theirs. A rule covers much of each row, and of its first and last fifth: a bar of a
    digit ends before.
    """
    height, width = ink.shape
    fifth = width // 5
    if min(np.count_nonzero(end) for end in (ink[:, :fifth], ink[:, -fifth:])) < END * fifth:
        return np.zeros(0, int), np.zeros(0, int)
    thickest = 2 + int(np.ceil(THIN * max(ink.shape)))
    rows, columns = np.nonzero(ink & ~_tall(ink, thickest))
    shifts = [np.round(slope * (columns - width / 2)).astype(int) for slope in SLOPES]
    places = [rows + shift + width for shift in shifts]
    counts = [np.bincount(place, minlength=height + 2 * width) for place in places]
    sharpest = max(range(len(SLOPES)), key=lambda index: int((counts[index] ** 2).sum()))
    place = places[sharpest]
    covered = np.ones(height + 2 * width, bool)
    for part, least in (
        (place, RULE * width),
        (place[columns < fifth], END * fifth),
        (place[columns >= width - fifth], END * fifth),
    ):
        count = np.bincount(part, minlength=height + 2 * width)
        covered &= np.convolve(count, np.ones(3), "same") > least
    on_rule = np.convolve(covered, np.ones(3), "same")[place] > 0
    return rows[on_rule], columns[on_rule]


def _tall(ink: Mask, least: int) -> Mask:
    """Return the ink in upright runs of at least so many pixels: an opening by such a run."""
    height = len(ink)
    if least > height:
        return np.zeros_like(ink)
    starts, length = ink, 1
    while length < least:
        step = min(length, least - length)
        starts, length = starts[:-step] & starts[step:], length + step
    tall, length = np.pad(starts, ((least - 1, least - 1), (0, 0))), 1
    while length < least:
        step = min(length, least - length)
        tall, length = tall[:-step] | tall[step:], length + step
    return tall

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from app.formats.image_files import prepare
from model.__main__ import main
from model.data import datasets
from model.data.datasets import MNIST, Form
from model.data.own import THINGS, Imported, install_own, read_picture
from model.errors import DataError
from tests.model.tiny import idx


def draw(path: Path, corner: int, *, side: int = 60, ink: int = 0, paper: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (side, side), paper)
    ImageDraw.Draw(image).rectangle((corner, corner, corner + 19, corner + 9), fill=ink)
    image.save(path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures of each of two labels."""
    for label, ink in (("pale", 90), ("dark", 0)):
        for n in range(12):
            draw(tmp_path / "photos" / label / f"{n:02}.png", n, ink=ink)
    return tmp_path / "photos"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """MNIST's four files, of images of one grey each: that of image n is n."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for half, count in (("train", 9), ("t10k", 3)):
        grey = np.arange(count, dtype=np.uint8)
        images = np.broadcast_to(grey[:, None, None], (count, 28, 28))
        (folder / f"{half}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{half}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(grey % 3)))
    return folder


def test_every_sixth_picture_of_each_label_is_for_testing(photos: Path, tmp_path: Path) -> None:
    install_own("my-boxes", photos, tmp_path / "data")
    train = datasets.train_set("my-boxes", tmp_path / "data")
    tests = datasets.test_set("my-boxes", tmp_path / "data")
    assert np.bincount(train.labels).tolist() == [10, 10]
    assert np.bincount(tests.labels).tolist() == [2, 2]
    assert datasets.find("my-boxes", tmp_path / "data").label_names == ("dark", "pale")


def test_the_labels_are_mixed_so_that_no_label_is_held_back_alone(
    photos: Path, tmp_path: Path
) -> None:
    install_own("my-boxes", photos, tmp_path / "data")
    labels = datasets.train_set("my-boxes", tmp_path / "data").labels
    assert set(labels[-10:]) == {0, 1}


def test_halves_that_are_told_apart_stay_so(tmp_path: Path) -> None:
    for half, count in (("train", 3), ("test", 2)):
        for n in range(count):
            draw(tmp_path / "photos" / half / "box" / f"{n}.png", n)
    install_own("my-boxes", tmp_path / "photos", tmp_path / "data")
    assert len(datasets.train_set("my-boxes", tmp_path / "data").images) == 3
    assert len(datasets.test_set("my-boxes", tmp_path / "data").images) == 2


@pytest.mark.parametrize(
    ("training", "testing", "more"),
    [
        ("training", "testing", None),
        ("Train", "Test", None),
        ("train", "val", None),
        ("train", "validation", None),
        ("train", "test", "val"),
    ],
)
def test_halves_go_by_several_names_and_images_for_validation_by_what_is_missing(
    tmp_path: Path, training: str, testing: str, more: str | None
) -> None:
    for half, count in ((training, 3), (testing, 2), (more, 4)):
        for n in range(count if half else 0):
            draw(tmp_path / "photos" / str(half) / "box" / f"{n}.png", n)
    install_own("my-boxes", tmp_path / "photos", tmp_path / "data")
    train = datasets.train_set("my-boxes", tmp_path / "data")
    assert len(train.images) == (7 if more else 3)
    assert len(datasets.test_set("my-boxes", tmp_path / "data").images) == 2


def test_what_systems_leave_in_folders_is_no_picture_and_no_label(
    photos: Path, tmp_path: Path
) -> None:
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "dark/Thumbs.db", "dark/.DS_Store"):
        (photos / name).write_bytes(b"not a picture")
    (photos / "__MACOSX" / "dark").mkdir(parents=True)
    (photos / "__MACOSX" / "._dark").write_bytes(b"not a picture")
    made = install_own("my-boxes", photos, tmp_path / "data")
    assert made.dataset.label_names == ("dark", "pale")


def skipped(made: Imported) -> dict[str, str]:
    return {one.path.name: one.reason for one in made.skipped}


def test_a_label_without_a_picture_is_skipped_by_the_name_of_its_folder(
    photos: Path, tmp_path: Path
) -> None:
    (photos / "empty").mkdir()
    (photos / "empty" / ".DS_Store").write_bytes(b"not a picture")
    (photos / "broken").mkdir()
    (photos / "broken" / "1.png").write_bytes(b"not a picture")
    made = install_own("my-boxes", photos, tmp_path / "data")
    assert made.dataset.label_names == ("dark", "pale")
    assert f"no file in {photos / 'empty'}" in skipped(made)["empty"]
    assert "no image file" in skipped(made)["1.png"]


def test_a_label_without_a_picture_in_one_half_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for half, label in (("train", "box"), ("test", "box"), ("test", "bar"), ("train", "rod")):
        draw(tmp_path / "photos" / half / label / "1.png", 5)
    command = ["data", "--name", "my-boxes", "--to", str(tmp_path / "data")]
    assert main([*command, "--from", str(tmp_path / "photos")]) == 0
    said = capsys.readouterr().out
    assert "bar has no image for training" in said
    assert "rod has no image for testing" in said


@pytest.mark.parametrize(("count", "tests"), [(1, 0), (2, 1), (5, 1), (6, 1), (12, 2)])
def test_every_label_of_two_pictures_or_more_has_one_for_testing(
    photos: Path, tmp_path: Path, count: int, tests: int
) -> None:
    for n in range(count):
        draw(photos / "rare" / f"{n:02}.png", n)
    made = install_own("my-boxes", photos, tmp_path / "data")
    assert made.dataset.label_names[2] == "rare"
    assert (made.train[2], made.tests[2]) == (count - tests, tests)


@pytest.mark.parametrize("halves", [("",), ("train", "test")])
def test_a_folder_of_pictures_without_labels_has_one_label_of_its_own_name(
    tmp_path: Path, halves: tuple[str, ...]
) -> None:
    for half in halves:
        for n in range(6):
            draw(tmp_path / "my boxes" / half / f"{n}.png", n)
    made = install_own("my-boxes", tmp_path / "my boxes", tmp_path / "data")
    assert made.dataset.label_names == ("my boxes",)
    assert (made.train, made.tests) == (((5,), (1,)) if halves == ("",) else ((6,), (6,)))


def test_folders_below_that_of_a_label_and_around_all_labels_make_no_difference(
    photos: Path, tmp_path: Path
) -> None:
    for n, file in enumerate(sorted((photos / "dark").iterdir())):
        below = photos / "dark" / f"day {n % 2}" / "morning"
        below.mkdir(parents=True, exist_ok=True)
        file.rename(below / file.name)
    outer = tmp_path / "archive"
    (outer / "unzipped").mkdir(parents=True)
    photos.rename(outer / "unzipped" / "photos")
    made = install_own("my-boxes", outer, tmp_path / "data")
    assert made.dataset.label_names == ("dark", "pale")
    assert (made.train, made.tests) == ((10, 10), (2, 2))


def test_a_table_says_what_is_for_what_and_what_was_skipped_and_why(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "readme.txt").write_text("beside the folders")
    (photos / "dark" / "notes.txt").write_text("not a picture")
    command = ["data", "--name", "my-boxes", "--to", str(tmp_path / "data")]
    assert main([*command, "--from", str(photos)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split() for line in said[:3]] == [
        ["label", "training", "testing"],
        ["dark", "10", "2"],
        ["pale", "10", "2"],
    ]
    assert any("readme.txt: it lies beside the folders" in line for line in said)
    assert any("dark/notes.txt: This is no image file" in line for line in said)


def test_a_preview_shows_the_images_of_each_label_in_a_row(photos: Path, tmp_path: Path) -> None:
    install_own("my-boxes", photos, tmp_path / "data")
    sheet = np.asarray(Image.open(tmp_path / "data" / "my-boxes" / "preview.png"))
    train = datasets.train_set("my-boxes", tmp_path / "data")
    for label, top in ((0, 4), (1, 64)):
        first = train.images[train.labels == label][0]
        shown = sheet[top : top + 56, 200:256]
        np.testing.assert_array_equal(shown[::2, ::2], first)


def as_photographed() -> Iterator[tuple[str, Image.Image, str]]:
    """Yield the name of a kind of picture, such a picture, and the format that holds it."""
    page = Image.new("L", (300, 200), 240)
    ImageDraw.Draw(page).line([(60, 40), (140, 40), (90, 150)], fill=0, width=18)
    yield "ink on light grey", page, "PNG"
    card = page.point(lambda level: 120 if level > 127 else 10)
    yield "ink on a grey card", card, "PNG"
    levels = np.asarray(page, np.float64)
    wide = np.where(levels > 127, 52_000, 2_000).astype(np.uint16)
    yield "16 bits", Image.fromarray(wide), "PNG"
    yield "32 bits", Image.fromarray(wide.astype(np.int32) * 30_000), "TIFF"
    yield "floats", Image.fromarray((levels / 255).astype(np.float32)), "TIFF"
    yield "small, with 16 bits", Image.fromarray(wide).resize((28, 28), 0), "PNG"
    clear = Image.new("RGBA", page.size, (255, 255, 255, 0))
    clear.paste((0, 0, 0, 255), mask=page.point(lambda level: 255 - level))
    yield "transparent", clear, "PNG"
    noise = np.random.default_rng(0).normal(0, 6, levels.shape)
    dim = np.clip(0.5 * levels + 60 + noise, 0, 255).astype(np.uint8)
    yield "photograph", Image.fromarray(dim), "JPEG"


@pytest.mark.parametrize(
    "kind", list(as_photographed()), ids=[kind[0] for kind in as_photographed()]
)
@pytest.mark.parametrize("form", [THINGS, MNIST.form])
def test_a_picture_in_a_folder_becomes_what_it_becomes_as_an_upload(
    kind: tuple[str, Image.Image, str], form: Form, tmp_path: Path
) -> None:
    _, picture, suffix = kind
    path = tmp_path / f"picture.{suffix.lower()}"
    picture.save(path)
    imported = read_picture(path, form)
    uploaded = np.floor(255 * prepare(path.read_bytes(), form).image + 0.5)
    np.testing.assert_allclose(imported, uploaded, atol=1)
    rows, _ = np.nonzero(imported > 127)
    assert np.ptp(rows) + 1 >= 17, "the 7 is cut out, light on dark"
    assert 0.02 < (imported > 127).mean() < 0.4


def test_what_a_picture_shows_fills_the_image_light_on_dark(tmp_path: Path) -> None:
    draw(tmp_path / "box.png", 30)
    image = read_picture(tmp_path / "box.png", THINGS)
    assert image.shape == (28, 28)
    np.testing.assert_array_equal(image[7:21], 255)
    np.testing.assert_array_equal(image[:7], 0)
    np.testing.assert_array_equal(image[21:], 0)


def test_a_picture_of_28_by_28_on_dark_keeps_its_pixels(tmp_path: Path) -> None:
    seven = datasets.test_set("mnist").images[0]
    Image.fromarray(seven).save(tmp_path / "seven.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "seven.png", THINGS), seven)


@pytest.mark.parametrize("ink", ["black", "white"])
def test_what_is_transparent_is_background(tmp_path: Path, ink: str) -> None:
    image = Image.new("RGBA", (28, 28), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((4, 4, 9, 9), fill=ink)
    image.save(tmp_path / "box.png")
    read = read_picture(tmp_path / "box.png", THINGS)
    assert read[4:10, 4:10].min() == 255
    assert read.sum() == 36 * 255


def test_idx_files_are_taken_as_they_are_with_names_for_their_labels(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["data", "--from", str(files), "--name", "mine", "--labels", "a,b,c"]
    assert main([*command, "--to", str(tmp_path / "data"), "--licence", "CC0"]) == 0
    assert "its labels are a, b, c" in capsys.readouterr().out
    train = datasets.train_set("mine", tmp_path / "data")
    assert train.images[:, 5, 5].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert train.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    assert train.source
    assert train.source.licence == "CC0"


@pytest.mark.parametrize("place", [".", "archive", "each in a folder of its own name"])
def test_idx_files_are_found_with_a_dot_in_their_names_and_one_folder_down(
    files: Path, tmp_path: Path, place: str
) -> None:
    for path in sorted(files.iterdir()):
        spelled = path.name.replace("-idx", ".idx")
        folder = files / (spelled.removesuffix(".gz") if place.startswith("each") else place)
        moved = path.rename(path.with_suffix(".moved"))
        folder.mkdir(exist_ok=True)
        moved.rename(folder / spelled)
    target = tmp_path / "data"
    assert main(["data", "--from", str(files), "--name", "mine", "--to", str(target)]) == 0
    assert len(datasets.train_set("mine", target).images) == 9


def test_a_file_exchanged_afterwards_is_refused(files: Path, tmp_path: Path) -> None:
    install_own("mine", files, tmp_path / "data")
    images = np.full((9, 28, 28), 7, np.uint8)
    (tmp_path / "data" / "mine" / "train-images-idx3-ubyte.gz").write_bytes(idx(images))
    with pytest.raises(DataError, match="is not the published file"):
        datasets.train_set("mine", tmp_path / "data")


def test_a_name_that_is_taken_is_refused(files: Path, tmp_path: Path) -> None:
    install_own("mine", files, tmp_path / "data")
    with pytest.raises(DataError, match=r"There is a data set mine already.* or add --replace"):
        install_own("mine", files, tmp_path / "data")
    with pytest.raises(DataError, match=r"mnist is the name of a published .* take another\."):
        install_own("mnist", files, tmp_path / "data", replace=True)


def test_a_data_set_is_replaced_where_that_is_asked_for(
    files: Path, photos: Path, tmp_path: Path
) -> None:
    install_own("mine", files, tmp_path / "data")
    install_own("mine", photos, tmp_path / "data", replace=True)
    assert datasets.find("mine", tmp_path / "data").label_names == ("dark", "pale")
    assert len(datasets.train_set("mine", tmp_path / "data").images) == 20
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine"]


def test_fetching_ones_own_data_set_is_refused_and_deletes_nothing(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_own("mine", files, tmp_path / "data")
    (tmp_path / "data" / "mine" / "train-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    assert main(["data", "mine", "--to", str(tmp_path / "data")]) == 2
    assert "nobody else has it" in capsys.readouterr().err
    assert len(list((tmp_path / "data" / "mine").iterdir())) == 6


def test_a_name_without_a_folder_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--name", "mine"]) == 2
    assert "give its folder with --from" in capsys.readouterr().err


def test_a_name_that_could_be_a_path_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no name"):
        install_own("../mine", files, tmp_path / "data")


def test_idx_images_of_two_sizes_are_refused(files: Path, tmp_path: Path) -> None:
    images = np.zeros((9, 32, 30), np.uint8)
    (files / "train-images-idx3-ubyte").write_bytes(idx(images))
    with pytest.raises(DataError, match=r"t10k images of .* are not of 30 x 32 pixels"):
        install_own("mine", files, tmp_path / "data")


def test_a_missing_half_is_refused_by_the_name_of_its_file(files: Path, tmp_path: Path) -> None:
    (files / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match="t10k-images-idx3-ubyte cannot be read"):
        install_own("mine", files, tmp_path / "data")


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "b"), ("a", "b", "")])
def test_labels_without_a_name_of_their_own_are_refused(
    files: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(DataError, match="name"):
        install_own("mine", files, tmp_path / "data", label_names=names)


def test_more_labels_than_the_page_has_colours_are_refused(tmp_path: Path) -> None:
    for label in range(11):
        for n in range(6):
            draw(tmp_path / "photos" / f"label-{label}" / f"{n}.png", n)
    with pytest.raises(DataError, match="at most 10 labels"):
        install_own("mine", tmp_path / "photos", tmp_path / "data")


def test_a_folder_without_one_picture_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "photos" / "dark").mkdir(parents=True)
    (tmp_path / "photos" / "dark" / "notes.txt").write_text("not a picture")
    with pytest.raises(DataError, match=r"no image that can be read.*notes\.txt: This is no image"):
        install_own("mine", tmp_path / "photos", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_blank_picture_is_skipped_by_its_name(photos: Path, tmp_path: Path) -> None:
    draw(photos / "dark" / "99.png", 0, ink=255)
    made = install_own("mine", photos, tmp_path / "data")
    assert skipped(made)["99.png"].startswith("The image is blank")


def test_too_few_pictures_for_a_test_are_refused_with_a_way_out(tmp_path: Path) -> None:
    draw(tmp_path / "photos" / "box" / "1.png", 1)
    with pytest.raises(DataError, match=r"no image for testing: .* make the folders train/"):
        install_own("mine", tmp_path / "photos", tmp_path / "data")


def test_a_folder_of_neither_kind_is_refused_with_the_guide(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither IDX files nor .*own-checkpoint\.md"):
        install_own("mine", tmp_path, tmp_path / "data")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"id": "other"}'])
def test_a_damaged_description_is_refused_by_its_path(
    files: Path, tmp_path: Path, content: str
) -> None:
    install_own("mine", files, tmp_path / "data")
    (tmp_path / "data" / "mine" / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=r"mine/dataset\.json does not describe"):
        datasets.find("mine", tmp_path / "data")


def test_a_damaged_idx_header_is_refused(files: Path, tmp_path: Path) -> None:
    (files / "train-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, 9, 28, 28))
    with pytest.raises(DataError, match="its header promises"):
        install_own("mine", files, tmp_path / "data")


def test_a_picture_with_too_many_pixels_is_skipped_by_name(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its header says 20,000 x 10,000 pixels of one bit; the file itself is small."""
    Image.new("1", (20_000, 10_000)).save(photos / "dark" / "huge.png")
    command = ["data", "--from", str(photos), "--name", "mine", "--to", str(tmp_path / "data")]
    assert main(command) == 0
    assert "dark/huge.png: The image has more than the 25000000 pixels" in capsys.readouterr().out


def test_a_folder_whose_name_is_not_utf_8_is_refused_by_name(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "dark").rename(photos / "caf\udce9")
    command = ["data", "--from", str(photos), "--name", "mine", "--to", str(tmp_path / "data")]
    assert main(command) == 2
    assert r"'caf\udce9' is not text in UTF-8" in capsys.readouterr().err
    assert not (tmp_path / "data" / "mine").exists()


@pytest.mark.parametrize("option", ["--title", "--authors", "--licence"])
def test_a_description_that_is_not_utf_8_is_refused(
    photos: Path, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["data", "--from", str(photos), "--name", "mine", "--to", str(tmp_path / "data")]
    assert main([*command, option, "caf\udce9"]) == 2
    assert r"'caf\udce9' is not text in UTF-8" in capsys.readouterr().err


def test_a_data_set_is_put_into_a_folder_whose_name_is_not_utf_8(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "caf\udce9"
    assert main(["data", "--from", str(photos), "--name", "mine", "--to", str(target)]) == 0
    assert r"caf\udce9/mine is written" in capsys.readouterr().out

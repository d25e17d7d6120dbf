"""`python -m model map`: one command, which goes on where it stopped and replaces nothing."""

import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.__main__ import main
from model.card import Card
from model.checkpoint import read_checkpoint
from model.data.datasets import LabelledImages
from model.own import adapting, mapping
from model.training.run import Run

pytestmark = pytest.mark.training


def draw(folder: Path, count: int) -> None:
    """Squares and bars of ink, some of each."""
    for label, high in (("square", 8), ("bar", 2)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            image = np.zeros((28, 28), np.uint8)
            image[4 + n % 8 : 4 + n % 8 + high, 6 : 14 + n % 5] = 255
            Image.fromarray(image).save(folder / label / f"{n:02}.png")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder, with images in `My pictures`."""
    folder = tmp_path_factory.mktemp("mapping")
    draw(folder / "My pictures", 135)
    return folder


@pytest.fixture(autouse=True)
def quick(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on few steps, with both stages."""
    monkeypatch.chdir(place)
    monkeypatch.setattr(adapting, "LEAST_STEPS", 1)
    monkeypatch.setattr(adapting, "LEAST_LAYOUT_STEPS", 1)


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_one_command_leads_to_a_model_and_goes_on_after_it_was_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["map", "My pictures", "--no-serve", "--device", "cpu"]

    def stop(current: Run, tests: LabelledImages) -> None:
        if current.epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mapping, "_draw", stop)
        assert main(command) == 130
    said = capsys.readouterr().out
    assert in_order(
        said,
        "label   training  testing",
        "my-pictures: 226 images to train on, 44 to test on, 2 labels.",
        "Its recipe is like fashion-vae-2d. The images are ink on paper",
        "on this machine.",
        "Stopped. Go on with: python -m model map 'My pictures' --no-serve --device cpu",
    )
    assert main(command) == 0
    said = capsys.readouterr().out
    assert in_order(
        said,
        "has these images already",
        "It goes on from the last whole epoch",
        "0 bar  1 square",
        "loss of fit: ",
        "my-checkpoints/my-pictures is written",
        "Trustworthy neighbours",
    )
    assert "layout 1/" not in said, "that epoch was done"
    metrics = Card.load(Path("my-checkpoints/my-pictures")).metrics
    assert {"grey", "codes", "latents"} <= metrics.keys()
    assert read_checkpoint(Path("my-checkpoints/my-pictures")).card.group == "Your images"

    assert main(command) == 0
    said = capsys.readouterr().out
    assert "is trained already" in said
    assert "Trustworthy" not in said, "measured already"


def test_images_that_changed_since_are_not_taken_for_the_old_ones(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(place / "Others", 6)
    assert main(["map", "Others", "--name", "my-pictures", "--no-serve"]) == 2
    error = capsys.readouterr().err
    assert "has other images than Others has now" in error
    assert "--replace" in error


def test_a_checkpoint_of_the_same_name_is_not_replaced(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(place / "Others", 6)
    (place / "models" / "others").mkdir(parents=True)
    (place / "models" / "others" / "card.json").write_text("{}")
    assert main(["map", "Others", "--to", "models", "--no-serve"]) == 2
    assert "models/others exists already" in capsys.readouterr().err
    assert (place / "models" / "others" / "card.json").read_text() == "{}"


def test_a_port_that_is_taken_is_told_before_anything_is_done(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(place / "Waiting", 6)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert main(["map", "Waiting", "--port", port]) == 2
    assert f"Nothing can be served on port {port}" in capsys.readouterr().err
    assert not Path("data/waiting").exists()


def test_a_run_goes_on_by_the_recipe_that_it_began_with(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A newer version may choose another."""
    draw(place / "Upgraded", 20)
    command = ["map", "Upgraded", "--no-serve", "--device", "cpu"]

    def stop(current: Run, tests: LabelledImages) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mapping, "_draw", stop)
        assert main(command) == 130
    monkeypatch.setattr(mapping, "SMALL", (16, 16))
    assert main(command) == 0
    assert Card.load(Path("my-checkpoints/upgraded")).recipe["encoder"]["hidden"] == [128, 128]
    assert main(command) == 0
    assert "is trained already" in capsys.readouterr().out


def test_a_folder_whose_name_gives_no_id_is_asked_for_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(place / "写真", 6)
    assert main(["map", "写真", "--no-serve"]) == 2
    assert "Give one by --name" in capsys.readouterr().err

import argparse
import gzip
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model.data import datasets, download
from model.errors import DataError
from tests.model import tiny
from tests.model.data.mirror import Mirror

IMAGES = "train-images-idx3-ubyte.gz"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(c, mtime=0) for name, c in tiny.contents().items()}


@pytest.fixture
def mirror(files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Mirror(files).serving() as mirror:
        yield mirror


@pytest.fixture
def second_mirror(files: dict[str, bytes]) -> Iterator[Mirror]:
    with Mirror(files).serving() as mirror:
        yield mirror


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Run":
    return Run(monkeypatch, tmp_path)


class Run:
    """`python -m model data mnist --to <tmp_path>`, with the tiny MNIST on mirrors of our own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.monkeypatch = monkeypatch
        self.target = target
        self.folder = target / "mnist"

    def __call__(self, *mirrors: Mirror, arguments: tuple[str, ...] = ("mnist",)) -> int:
        addresses = [mirror.url for mirror in mirrors]
        self.monkeypatch.setitem(datasets.DATASETS, "mnist", tiny.dataset(*addresses))
        parser = argparse.ArgumentParser()
        download.configure(parser)
        return download.run(parser.parse_args([*arguments, "--to", str(self.target)]))

    def begin(self, name: str, content: bytes) -> None:
        """Leave what an earlier download would have left that stopped half-way."""
        self.folder.mkdir()
        (self.folder / f"{name}.part").write_bytes(content)

    def assert_complete(self) -> None:
        train = datasets.train_set("mnist", self.target)
        np.testing.assert_array_equal(train.images, datasets.test_set("mnist").images[: tiny.COUNT])
        assert sorted(path.name for path in self.folder.iterdir()) == sorted(
            f"{name}.gz" for name in tiny.contents()
        )


def test_a_data_set_is_downloaded_file_by_file(run: Run, mirror: Mirror) -> None:
    assert run(mirror) == 0
    run.assert_complete()
    assert sorted(mirror.asked) == sorted((name, None) for name in mirror.files)


def test_files_that_are_there_are_not_downloaded_again(run: Run, mirror: Mirror) -> None:
    tiny.write(run.folder)
    assert run(mirror) == 0
    assert mirror.asked == []


def test_a_damaged_file_is_replaced(
    run: Run, mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.write(run.folder)
    os.truncate(run.folder / IMAGES, 1000)
    assert run(mirror) == 0
    run.assert_complete()
    assert mirror.asked == [(IMAGES, None)]
    assert "incomplete gzip file" in capsys.readouterr().out


def test_a_mirror_that_fails_is_passed_over(
    run: Run, mirror: Mirror, second_mirror: Mirror
) -> None:
    mirror.fails_with = 503
    assert run(mirror, second_mirror) == 0
    run.assert_complete()


def test_a_mirror_that_is_gone_is_passed_over(run: Run, mirror: Mirror) -> None:
    with Mirror({}).serving() as gone:
        pass
    assert run(gone, mirror) == 0
    run.assert_complete()


def test_a_mirror_with_other_content_is_passed_over(
    run: Run, mirror: Mirror, second_mirror: Mirror
) -> None:
    mirror.files = dict.fromkeys(mirror.files, b"<html>Please log in to this network.</html>")
    assert run(mirror, second_mirror) == 0
    run.assert_complete()


def test_a_mirror_that_hangs_up_is_asked_for_the_rest_until_there_is_none(
    run: Run, mirror: Mirror
) -> None:
    mirror.stops_after = 10_000
    assert run(mirror) == 0
    run.assert_complete()
    ranges = [wanted for name, wanted in mirror.asked if name == IMAGES]
    assert ranges == [
        None,
        *(f"bytes={n}-" for n in range(10_000, len(mirror.files[IMAGES]), 10_000)),
    ]


def test_the_next_mirror_goes_on_where_the_last_one_hung_up(
    run: Run, mirror: Mirror, second_mirror: Mirror
) -> None:
    mirror.stops_after, mirror.answers_ranges = 10_000, False
    assert run(mirror, second_mirror) == 0
    run.assert_complete()
    assert (IMAGES, "bytes=10000-") in second_mirror.asked


def test_an_earlier_download_is_gone_on_with(run: Run, mirror: Mirror) -> None:
    run.begin(IMAGES, mirror.files[IMAGES][:777])
    assert run(mirror) == 0
    run.assert_complete()
    assert mirror.asked[0] == (IMAGES, "bytes=777-")


def test_a_server_without_ranges_is_taken_from_the_start(run: Run, mirror: Mirror) -> None:
    run.begin(IMAGES, mirror.files[IMAGES][:777])
    mirror.answers_ranges = False
    assert run(mirror) == 0
    run.assert_complete()


def test_an_earlier_download_that_lacked_only_its_name_is_kept(run: Run, mirror: Mirror) -> None:
    run.begin(IMAGES, mirror.files[IMAGES])
    assert run(mirror) == 0
    run.assert_complete()
    assert mirror.asked.count((IMAGES, None)) == 0


@pytest.mark.parametrize("length", [777, 1_000_000], ids=["shorter", "longer"])
def test_an_earlier_download_of_something_else_is_dropped(
    run: Run, mirror: Mirror, length: int
) -> None:
    run.begin(IMAGES, b"\x1f\x8b" + b"x" * length)
    assert run(mirror) == 0
    run.assert_complete()


def test_a_server_that_does_not_tell_the_length_is_verified_all_the_same(
    run: Run, mirror: Mirror, second_mirror: Mirror
) -> None:
    mirror.tells_length, mirror.stops_after = False, 10_000
    assert run(mirror, second_mirror) == 0
    run.assert_complete()


def test_when_no_mirror_helps_each_reason_is_told_with_a_way_out(
    run: Run, mirror: Mirror, second_mirror: Mirror
) -> None:
    mirror.fails_with = 404
    second_mirror.stops_after = 0
    with pytest.raises(DataError) as refusal:
        run(mirror, second_mirror)
    message = str(refusal.value)
    assert f"{mirror.url}{IMAGES}: it answers 404 Not Found" in message
    assert f"{second_mirror.url}{IMAGES}: it stopped after 0 of" in message
    assert "python -m model data mnist --from FOLDER" in message


def test_ctrl_c_keeps_what_has_arrived_and_the_next_run_goes_on_from_there(
    run: Run, mirror: Mirror, capsys: pytest.CaptureFixture[str]
) -> None:
    def press_ctrl_c(name: str) -> None:
        arrived = run.folder / f"{name}.part"
        while not arrived.exists() or arrived.stat().st_size < 10_000:
            threading.Event().wait(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        interrupted.wait()

    interrupted = threading.Event()
    mirror.stops_after, mirror.before_hanging_up = 10_000, press_ctrl_c
    with pytest.raises(KeyboardInterrupt):
        run(mirror)
    interrupted.set()
    assert "The same command goes on from here" in capsys.readouterr().out

    mirror.stops_after = None
    assert run(mirror) == 0
    run.assert_complete()
    assert (IMAGES, "bytes=10000-") in mirror.asked


@pytest.mark.parametrize("zipped", [True, False], ids=["zipped", "unzipped"])
@pytest.mark.parametrize("inside", ["", "mnist"], ids=["flat", "in a sub-folder"])
def test_files_may_come_from_a_folder(
    run: Run, mirror: Mirror, tmp_path_factory: pytest.TempPathFactory, zipped: bool, inside: str
) -> None:
    source = tmp_path_factory.mktemp("source")
    tiny.write(source / inside, zipped=zipped)
    assert run(mirror, arguments=("mnist", "--from", str(source))) == 0
    assert len(datasets.train_set("mnist", run.target).images) == tiny.COUNT
    assert mirror.asked == []


def test_a_folder_with_other_files_of_the_same_names_is_refused(
    run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("source")
    tiny.write(source)
    with pytest.raises(DataError, match=f"{source / IMAGES} is not the published file"):
        run(arguments=("fashion-mnist", "--from", str(source)))


def test_a_folder_without_the_files_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{IMAGES} is neither in .*elsewhere/mnist nor in"):
        run(arguments=("mnist", "--from", str(tmp_path / "elsewhere")))


def test_a_target_that_cannot_be_written_is_refused(run: Run, mirror: Mirror) -> None:
    run.folder.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="mnist cannot be written: File exists"):
        run(mirror)


def test_an_unknown_data_set_is_refused_before_anything_is_fetched(
    run: Run, mirror: Mirror
) -> None:
    with pytest.raises(DataError, match="no data set 'cifar'; known are mnist, fashion-mnist"):
        run(mirror, arguments=("mnist", "cifar"))
    assert mirror.asked == []

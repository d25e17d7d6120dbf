"""`python -m model data`: download or draw the data sets, or take them from a folder."""

import argparse
import gzip
import shutil
from pathlib import Path

from model.data.datasets import DATA_FOLDER, DATASETS, Dataset, files_named, find, find_file
from model.data.idx import pack_idx
from model.data.portraits import drawn_file
from model.data.transfer import TransferError, fetch
from model.errors import DataError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.add_argument(
        "datasets",
        nargs="*",
        metavar="DATASET",
        help=f"which to get: {', '.join(DATASETS)}; all of them if none is named",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="take the files from here, zipped or not, instead of the network",
    )
    parser.add_argument(
        "--to",
        dest="target",
        type=Path,
        metavar="FOLDER",
        default=DATA_FOLDER,
        help="put them in <FOLDER>/<DATASET>/ (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Install the data sets, with each file verified; return the exit status.

    Raises:
        DataError: A data set is unknown, or a file could not be obtained.
        KeyboardInterrupt: The user stopped the command; how to resume was printed.
    """
    try:
        for dataset in [find(name, arguments.target) for name in arguments.datasets or DATASETS]:
            if dataset.id not in DATASETS:
                raise DataError(
                    f"{dataset.id} is a data set of your own; nobody else has it. To make it "
                    f"anew, delete {arguments.target / dataset.id} and give --from and --name."
                )
            install(dataset, arguments.target, arguments.source)
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.")
        raise
    return 0


def install(dataset: Dataset, target: Path, source: Path | None = None) -> None:
    """Put the missing files of a data set into `<target>/<dataset>/`.

    Args:
        dataset: The data set to install, with its mirrors.
        target: The folder of all data sets.
        source: A folder that has the files, itself or in a sub-folder of the data set's name. If it
            is given, the network is not used.

    Raises:
        DataError: A file could not be obtained; the message gives the reason for each place tried.
    """
    folder = target / dataset.id
    try:
        for name in dataset.sha256:
            if _is_present(dataset, name, folder):
                print(f"{dataset.id}/{name}: is there already")
                continue
            if source is not None:
                _copy(dataset, name, folder, source)
            elif dataset.mirrors:
                _download(dataset, name, folder)
            else:
                _draw(dataset, name, folder)
            print(f"{dataset.id}/{name}: verified and in place")
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error


def _is_present(dataset: Dataset, name: str, folder: Path) -> bool:
    """Return whether the folder has the published file; delete a damaged one in its place."""
    while path := find_file(folder, name):
        try:
            dataset.read(path, name)
        except DataError as error:
            print(f"{error} It is deleted, to be replaced.")
            path.unlink()
        else:
            return True
    return False


def _copy(dataset: Dataset, name: str, folder: Path, source: Path) -> None:
    paths = [*files_named(source / dataset.id, name), *files_named(source, name)]
    if not paths:
        raise DataError(
            f"{dataset.title}: {name}.gz is neither in {source / dataset.id} nor in {source}, "
            f"nor is {name}. To take images of your own from {source}, name them: --name NAME."
        )
    path = _published(dataset, name, paths)
    zipped = ".gz" if path.suffix == ".gz" else ""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}{zipped}.part"
    shutil.copyfile(path, partial)
    partial.replace(folder / f"{name}{zipped}")


def _published(dataset: Dataset, name: str, paths: list[Path]) -> Path:
    """Return the first of some files that is the published one; raises DataError."""
    for path in paths[:-1]:
        try:
            dataset.read(path, name)
        except DataError:
            continue
        return path
    dataset.read(paths[-1], name)
    return paths[-1]


def _download(dataset: Dataset, name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.gz.part"
    failures = []
    for mirror in dataset.mirrors:
        url = f"{mirror}{name}.gz"
        try:
            _fetch_verified(url, partial, dataset, name)
        except (TransferError, DataError) as error:
            failures.append(f"  {url}: {error}")
        else:
            partial.replace(folder / f"{name}.gz")
            return
    raise DataError(
        f"No mirror of {dataset.title} gave {name}.gz:\n" + "\n".join(failures) + "\n"
        "Try again later, when it goes on from what has arrived; or get the files elsewhere and "
        f"run `python -m model data {dataset.id} --from FOLDER`."
    )


def _draw(dataset: Dataset, name: str, folder: Path) -> None:
    if "images" in name:
        print(f"{dataset.id}/{name}: is being drawn, which takes up to some minutes")
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.gz.part"
    partial.write_bytes(gzip.compress(pack_idx(drawn_file(name)), mtime=0))
    try:
        dataset.read(partial, name)
    except DataError as error:
        partial.unlink()
        raise DataError(
            f"{name} was drawn otherwise than the images that our models were trained on: this "
            "version of Pillow or NumPy differs. Install the versions in constraints.txt."
        ) from error
    partial.replace(folder / f"{name}.gz")


def _fetch_verified(url: str, partial: Path, dataset: Dataset, name: str) -> None:
    began_elsewhere = partial.exists()
    _fetch_while_it_grows(url, partial)
    try:
        dataset.read(partial, name)
    except DataError:
        partial.unlink()
        if not began_elsewhere:
            raise
        # Two mirrors may have zipped the file differently, so take all of it from this one.
        _fetch_verified(url, partial, dataset, name)


def _fetch_while_it_grows(url: str, partial: Path) -> None:
    """Download a file; try again as long as each try gets further than all before it."""
    most = -1
    while True:
        try:
            return fetch(url, partial)
        except TransferError:
            size = partial.stat().st_size if partial.exists() else -1
            if size <= most:
                raise
            most = size

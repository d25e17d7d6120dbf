"""Download a file over HTTP, resuming where an earlier try stopped."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from tqdm import tqdm

TIMEOUT_SECONDS = 30
CHUNK_BYTES = 1 << 16


class TransferError(Exception):
    """The server cannot be reached, refuses or stops early; the bytes received are kept."""


def fetch(url: str, partial: Path) -> None:
    """Complete `partial`, which holds the first bytes of the file at `url`, or nothing yet.

    Only the missing bytes are requested; if a server cannot send them alone, the download starts
    over. Bytes are written as they arrive, so that the next call resumes after any interruption,
    Ctrl-C included. The caller must verify that both parts belong to one file.

    Raises:
        TransferError: The file is not complete.
    """
    size = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            if size and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # the file is complete
            raise TransferError(f"it answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(f"it cannot be reached: {_reason(error)}") from error
    with response:
        _receive(response, partial, size)


def _receive(response: http.client.HTTPResponse, partial: Path, size: int) -> None:
    resumes = response.status == HTTPStatus.PARTIAL_CONTENT
    if resumes and not response.headers.get("Content-Range", "").startswith(f"bytes {size}-"):
        raise TransferError("it sends other bytes than it was asked for")
    if not resumes:
        size = 0
    total = None if response.length is None else size + response.length
    progress = tqdm(
        desc=partial.stem, initial=size, total=total, unit="B", unit_scale=True, disable=None
    )
    with partial.open("ab" if resumes else "wb", buffering=0) as file, progress:
        for chunk in _chunks(response):
            size += file.write(chunk)
            progress.update(len(chunk))
    if total is not None and size < total:
        raise TransferError(f"it stopped after {size} of {total} bytes")


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read1(CHUNK_BYTES):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(f"the connection broke: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error)) or type(error).__name__

"""Requests that bring files: the one kind that may be large. `require` looks at who sends before anything of the body
is read. Their files go to disk as they come in, below the data directory, in files without a name: a process that dies
leaves nothing.
"""

from __future__ import annotations

import os
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import IO, BinaryIO, cast

from flask import Flask, Request, current_app, request
from werkzeug.datastructures import FileStorage

from indexer import Upload
from webapp.headers import allow_larger_body
from webapp.services import services

#: a file that is smaller stays in memory until its request is answered
_SPOOLED_BYTES = 256 * 1024
#: files and fields of one form
MAX_PARTS = 1_000
_FOLDER = "inbox"


class UploadRequest(Request):
    """A request whose files are kept on the data directory's disk, which has the room that was looked for."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if not is_upload():
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        folder = services().data_dir / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        if (content_length or total_content_length or 0) > _SPOOLED_BYTES:
            return cast(IO[bytes], TemporaryFile("w+b", dir=folder))
        return cast(IO[bytes], SpooledTemporaryFile(_SPOOLED_BYTES, "w+b", dir=str(folder)))


def register(app: Flask, endpoint: str) -> None:
    """Let forms of a view bring files, as many bytes as the settings allow."""
    app.request_class = UploadRequest
    app.extensions["yiwen.uploads"] = endpoint
    allow_larger_body(app, endpoint, max_upload_bytes(app))


def is_upload() -> bool:
    """Whether this request's view takes uploads."""
    return request.endpoint is not None and request.endpoint == current_app.extensions.get("yiwen.uploads")


def max_upload_bytes(app: Flask) -> int:
    """Of one request."""
    most: int = app.extensions["yiwen"].settings.max_upload_bytes
    return most


def uploads_of(field: str) -> list[Upload]:
    """The files of a form's field; an empty choice of a browser's is none."""
    return [_upload(storage) for storage in request.files.getlist(field) if storage.filename]


def _upload(storage: FileStorage) -> Upload:
    file = cast(BinaryIO, storage.stream)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return Upload(storage.filename or "", file, size if isinstance(size, int) else file.tell())

"""What a backup says of itself, so that it can be checked without the database it came from."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import msgspec

from reference_app.upkeep.errors import VerificationError

DUMP = "database.dump"
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"

_CHUNK = 1 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup's own description.

    Attributes:
        schema: Version of this form.
        at: When it was made, in UTC; part of its name.
        database: Name of the database.
        server: Version of the server.
        dump_bytes: Size of the dump.
        rows: Rows of every table in the snapshot that was dumped.
    """

    schema: int = 1
    at: datetime
    database: str
    server: str
    dump_bytes: int
    rows: dict[str, int]


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Put the description and the checksums beside the dump.

    The checksums have the form of ``sha256sum``, which can check them where Python is not at hand.
    """
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (directory / MANIFEST).write_bytes(text + b"\n")
    sums = "".join(f"{_sha256(directory / name)}  {name}\n" for name in (DUMP, MANIFEST))
    (directory / SUMS).write_text(sums, encoding="ascii")


def read_manifest(directory: Path) -> Manifest:
    """What a backup says of itself; nothing is checked.

    Raises:
        VerificationError: It cannot be read.
    """
    try:
        return msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise _damaged(directory, f"{MANIFEST}: {error}") from error


def check_files(directory: Path) -> Manifest:
    """Compare a backup's files with its checksums (B-167: size above 0, date right).

    Raises:
        VerificationError: The backup is damaged.
    """
    try:
        lines = (directory / SUMS).read_text(encoding="ascii").splitlines()
        expected = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        if expected.keys() != {DUMP, MANIFEST}:
            raise _damaged(directory, f"{SUMS} names {sorted(expected)}")
        wrong = [name for name, digest in expected.items() if _sha256(directory / name) != digest]
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(directory, str(error)) from error
    if wrong:
        raise _damaged(directory, f"{', '.join(wrong)} changed since it was written")
    manifest = read_manifest(directory)
    size = (directory / DUMP).stat().st_size
    if size == 0 or size != manifest.dump_bytes:
        raise _damaged(directory, f"{DUMP} has {size} bytes, not {manifest.dump_bytes}")
    return manifest


def _damaged(directory: Path, how: str) -> VerificationError:
    return VerificationError(
        f"backup {directory} is damaged: {how}",
        fix="take the copy in the other storage, or the backup before it",
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

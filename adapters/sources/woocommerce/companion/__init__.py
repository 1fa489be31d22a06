"""The companion plug-in for WordPress, as the zip that its admin takes."""

import io
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

_NAME = "capi-bridge-companion"
COMPANION_FILE = f"{_NAME}.zip"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the format: the zip of the same files is the same
_MODE = 0o100644 << 16
_UNIX = 3


def companion_zip() -> bytes:
    """Return the plug-in as a zip, byte for byte the same on every machine."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in sorted(_files(files(__package__) / _NAME, _NAME)):
            entry = zipfile.ZipInfo(path, _FIRST_DAY)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, content)  # stored: compressed bytes differ between zlibs
    return packed.getvalue()


def _files(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path in the zip, content); hidden files stay out."""
    for entry in folder.iterdir():
        path = f"{name}/{entry.name}"
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _files(entry, path)
        else:
            yield path, entry.read_bytes()

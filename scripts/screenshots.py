"""Make the pictures of docs/admin.md anew, from the week that the tests live through.

Not part of `make test`: needs the test dependencies and Chromium.

    .venv/bin/python scripts/screenshots.py [NAME ...]
"""

# ruff: noqa: T201  it is a command
import base64
import logging
import shutil
import struct
import sys
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.browser.conftest import CHROMIUM, QUIET  # noqa: E402  the tests are no package
from tests.e2e.browser.staged import Stage, look, staged  # noqa: E402
from tests.e2e.browser.steps import sign_in_as  # noqa: E402
from tests.e2e.browser.tour import stops  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LARGEST = 80_000  # bytes of one picture


@dataclass(frozen=True)
class Shot:
    """A stop of the tour, and the window that looks at it."""

    stop: str
    height: int
    width: int = 1280
    scheme: str = "light"


SHOTS = {
    "home": Shot("home.index", 1250),
    "first-steps": Shot("start.index", 900),
    "senders": Shot("senders.advice", 1150),
    "connections": Shot("connections.index", 830),
    "shop": Shot("connections.sources.show", 1150),
    "events": Shot("events.show", 950),
    "preview": Shot("rule.preview", 800),
    "activity": Shot("activity.index", 900),
    "story": Shot("explain.dead", 1150),
    "phone": Shot("activity.index", 844, width=390),
    "dark": Shot("home.index", 900, scheme="dark"),
}

# Few colours make small files: the 256 most frequent ones, and for each other the nearest.
COLOURS = """async source => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const pixels = canvas.getImageData(0, 0, image.width, image.height).data;
    const counts = new Map();
    const at = (place) => (pixels[place] << 16) | (pixels[place + 1] << 8) | pixels[place + 2];
    for (let place = 0; place < pixels.length; place += 4) {
        counts.set(at(place), (counts.get(at(place)) || 0) + 1);
    }
    const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(one => one[0]);
    const known = new Map(palette.map((colour, index) => [colour, index]));
    const apart = (a, b) => [16, 8, 0].reduce(
        (sum, shift) => sum + (((a >> shift) & 255) - ((b >> shift) & 255)) ** 2, 0);
    const nearest = (colour) => {
        if (!known.has(colour)) {
            let best = 0;
            palette.forEach((one, index) => {
                if (apart(one, colour) < apart(palette[best], colour)) best = index;
            });
            known.set(colour, best);
        }
        return known.get(colour);
    };
    let text = "";
    for (let place = 0; place < pixels.length; place += 4) {
        text += String.fromCharCode(nearest(at(place)));
    }
    return {width: image.width, height: image.height, palette, indices: btoa(text)};
}"""


def main(names: list[str]) -> int:
    """Return 0 if every picture is small enough."""
    logging.disable(logging.WARNING)
    wanted = {name: shot for name, shot in SHOTS.items() if not names or name in names}
    path = next(filter(None, map(shutil.which, CHROMIUM)))
    too_large = []
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder)) as stage,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        for name, picture in taken(browser, stage, wanted).items():
            (IMAGES / f"admin-{name}.png").write_bytes(picture)
            print(f"{len(picture):7} admin-{name}.png")
            too_large += [name] if len(picture) > LARGEST else []
        browser.close()
    return 1 if too_large else 0


def taken(browser: Browser, stage: Stage, wanted: dict[str, Shot]) -> dict[str, bytes]:
    """Return the pictures as files."""
    page = look(browser, stage.busy, "en").new_page()
    sign_in_as(page, "ada")
    way = stops(stage.pages, stage.store)
    pictures = {}
    for name, shot in wanted.items():
        page.set_viewport_size({"width": shot.width, "height": shot.height})
        page.emulate_media(color_scheme="dark" if shot.scheme == "dark" else "light")
        way[shot.stop](page)
        page.evaluate("window.scrollTo(0, 0)")
        pictures[name] = small(browser.new_page(), page.screenshot())
    return pictures


def small(blank: Page, picture: bytes) -> bytes:
    """Return *picture* with 256 colours at most."""
    found = blank.evaluate(COLOURS, "data:image/png;base64," + base64.b64encode(picture).decode())
    blank.close()
    width, indices = found["width"], base64.b64decode(found["indices"])
    rows = [b"\0" + indices[at : at + width] for at in range(0, len(indices), width)]
    palette = b"".join(colour.to_bytes(3, "big") for colour in found["palette"])
    head = struct.pack(">IIBBBBB", width, found["height"], 8, 3, 0, 0, 0)
    data = zlib.compress(b"".join(rows), 9)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + check


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

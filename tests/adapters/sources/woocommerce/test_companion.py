"""The companion plug-in: its PHP holds its own tests, and agrees with the adapter."""

import gettext
import io
import json
import os
import re
import subprocess
import tomllib
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

import adapters.sources.woocommerce.companion as package
from adapters.sources.woocommerce import adapter
from adapters.sources.woocommerce.signals import consent
from bridge.events import Delivery, event_id

ROOT = Path(__file__).parents[4]
COMPANION = Path(package.__file__).parent / "capi-bridge-companion"
DELIVERIES = Path(__file__).parents[3] / "deliveries" / "woocommerce"
PHP_TESTS = Path(__file__).parent / "companion"
TABLE = json.loads((PHP_TESTS / "table.json").read_text("utf-8"))
SOURCES = sorted(COMPANION.rglob("*.php"))
LATER_THAN_7_4 = (
    r"\bmatch\s*\(", r"\benum\s+\w", r"\breadonly\s", r"\?->", r"#\[", r"\bnever\b",
    r"\bstr_(contains|starts_with|ends_with)\b", r"\)\s*:\s*(mixed|static)\b", r"\w\|\w+\s+\$",
    r"\(\s*\w+:\s", r"\w\(\s*\.\.\.\s*\)",
)  # fmt: skip


def php_test_files():
    return sorted(path.name for path in PHP_TESTS.glob("*_test.php"))


def code_of(path):
    """Return the code of a PHP file without comments, texts and markup."""
    text = re.sub(r"\?>.*?(<\?php|\Z)", " ", path.read_text("utf-8"), flags=re.S)
    return re.sub(r"/\*.*?\*/|//[^\n]*|'(?:[^'\\]|\\.)*'", "''", text, flags=re.S)


def translated_texts():
    """Return the texts that the PHP translates, and those of its header that WordPress does."""
    calls = r"(?:__|esc_html__|esc_html_e)\( '((?:[^'\\]|\\.)*)', '([\w-]*)' \)"
    found = [pair for path in SOURCES for pair in re.findall(calls, path.read_text("utf-8"))]
    assert {domain for _, domain in found} == {"capi-bridge-companion"}
    header = (COMPANION / "capi-bridge-companion.php").read_text("utf-8")
    told = re.findall(r"^ \* (?:Plugin Name|Description):\s+(.*)$", header, re.M)
    return {text for text, _ in found} | set(told)


@pytest.fixture
def php(tool):
    """Return a function that runs a PHP script of the tests with the companion."""

    def run(*arguments):
        return subprocess.run(
            [tool("php"), *(str(PHP_TESTS / name) for name in arguments)],
            env={**os.environ, "COMPANION": str(COMPANION)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("name", php_test_files())
def test_the_php_keeps_what_its_tests_say(name, php):
    run = php("run.php", name)

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("ok ") > 5
    assert run.stderr == ""


@pytest.mark.parametrize(
    ("topic", "case"),
    [
        ("cart.item_added", "01-granted-item-added"),
        ("checkout.started", "03-granted-checkout-started"),
    ],
)
def test_what_a_shop_has_sent_is_what_the_php_makes_today(topic, case, php):
    body = json.loads(php("visit.php").stdout)[topic]
    sent = json.loads((DELIVERIES / "companion" / case / "body.json").read_bytes())
    delivery = Delivery(topic=topic, key="k", body=json.dumps(body).encode())
    (event,) = adapter.translate(delivery, {"secret": "x"})

    assert body.keys() == sent.keys()
    assert body["consent"].keys() == sent["consent"].keys()
    assert body["line_items"][0].keys() == sent["line_items"][0].keys()
    assert body["visitor"].keys() >= sent["visitor"].keys() - {"referrer"}
    assert event.user_data.fbclid_at == event.event_time
    assert event.basket.contents[0].price == Decimal("14.90")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_php_is_sound(path, tool):
    run = subprocess.run([tool("php"), "-l", str(path)], capture_output=True, check=False)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_php_asks_for_nothing_after_7_4(path):
    code = code_of(path)

    assert [sign for sign in LATER_THAN_7_4 if re.search(sign, code)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_file_runs_by_itself_and_each_tells_its_licence(path):
    text = path.read_text("utf-8")

    assert re.search(r"defined\( '(ABSPATH|WP_UNINSTALL_PLUGIN)' \) \|\| exit;", text)
    assert "GPL-2.0-or-later" in text


def test_the_licence_is_there():
    text = (COMPANION / "LICENSE.txt").read_text("utf-8")

    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text


def test_no_page_view_sends_anything():
    code = "".join(code_of(path) for path in SOURCES)

    assert not re.search(r"wp_(safe_)?remote_|curl_|fsockopen|file_get_contents|wp_mail", code)


@pytest.mark.parametrize("row", TABLE["consent"], ids=lambda row: row["word"])
def test_the_adapter_reads_the_words_of_consent(row):
    told = consent({"_bridge_consent": row["word"]})

    assert (told.marketing, told.sale_of_data) == (row["marketing"], row["sale"])
    assert int(told.at.timestamp() * 1000) == row["at"]
    assert told.source == ":".join(filter(None, ("meta_data:_bridge_consent", row["source"])))


@pytest.mark.parametrize("row", TABLE["checkout"], ids=lambda row: row["id"])
def test_the_bridge_makes_the_event_ids_of_the_table(row):
    assert event_id("checkout_started", row["id"], "shop") == row["event_id"]


def test_both_ask_for_consent_first_in_the_same_countries():
    text = (COMPANION / "includes" / "consent.php").read_text("utf-8")
    listed = re.findall(
        r"'([A-Z]{2})'", text.partition("OPT_IN_COUNTRIES = [")[2].partition("]")[0]
    )
    default = tomllib.loads((ROOT / "bridge/plan/default.toml").read_text("utf-8"))

    assert set(listed) == set(default["consent"]["opt_in_countries"])


def test_every_text_is_translated_and_compiled():
    languages = COMPANION / "languages"
    with (languages / "capi-bridge-companion-fr_FR.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    pairs = re.findall(
        r'^msgid "(.+)"\nmsgstr "(.*)"$',
        (languages / "capi-bridge-companion-fr_FR.po").read_text("utf-8"),
        re.M,
    )
    written = {json.loads(f'"{text}"'): json.loads(f'"{french}"') for text, french in pairs}

    assert set(written) == translated_texts()
    assert all(written.values())
    assert {text: compiled.gettext(text) for text in written} == written


def test_the_zip_is_one_folder_with_all_files_and_the_same_twice():
    name, content = adapter.companion()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        packed = {entry: archive.read(entry) for entry in archive.namelist()}
    there = {
        path.relative_to(COMPANION.parent).as_posix(): path.read_bytes()
        for path in COMPANION.rglob("*")
        if path.is_file()
    }

    assert name == "capi-bridge-companion.zip"
    assert packed == there
    assert adapter.companion() == (name, content)


def test_a_wheel_holds_every_kind_of_file_of_the_companion():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packaged = set(project["tool"]["setuptools"]["package-data"]["*"])
    kinds = {f"*{path.suffix}" for path in COMPANION.rglob("*") if path.is_file()}

    assert kinds <= packaged

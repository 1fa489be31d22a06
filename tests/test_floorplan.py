"""The floor plan and the house rules, read off the source itself."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 400

# From the ground up.  A module imports from its own package and from the steps before its
# own, so that two of one step never import each other.  See docs/architecture.md.
STEPS = (
    # floor 0: the vocabulary
    {"bridge.events"},
    # floor 1: tools, and the dialects
    {
        "bridge.config",
        "bridge.fetch",
        "bridge.logs",
        "bridge.net",
        "bridge.plan",
        "bridge.secrets",
        "adapters",
    },
    {"bridge.subjects"},
    # floor 2: rules, pure
    {"bridge.registry", "bridge.carts", "bridge.visitors", "bridge.orders", "bridge.consent"},
    {"bridge.policy"},
    {"bridge.shape"},
    # floor 3: the memory
    {"bridge.store"},
    # floor 4: what watches, and the verbs
    {
        "bridge.advice",
        "bridge.alerts",
        "bridge.costs",
        "bridge.explain",
        "bridge.ledger",
        "bridge.routes",
        "bridge.trial",
    },
    {"bridge.care", "bridge.quality"},
    {"bridge.receive", "bridge.translate", "bridge.send", "bridge.connect"},
    # floor 4 too: the doctor looks at shops as the fourth verb does
    {"bridge.doctor"},
    # floor 5: the loop
    {"bridge.worker"},
    # floor 6: the face, and the local platform
    {"bridge.web", "bridge.sandbox"},
    # floor 7: the doors
    {"bridge.wsgi"},
    {"bridge.cli"},
    {"bridge.__main__"},
)
STEP_OF = {place: number for number, places in enumerate(STEPS) for place in places}
DATABASES = {"sqlalchemy", "alembic", "sqlite3", "psycopg", "psycopg2", "psycopg_pool"}
SHOP_SYSTEMS = re.compile(
    r"shopify|woo.?commerce|prestashop|magento|wordpress|shopware|bigcommerce|\bwoo\b", re.I
)
# Spelt in pieces, so that this file does not name what it forbids.
FOREIGN_NAMES = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org"
    r"|(?<![\w.$}/-])/(work|root)/"
)  # fmt: skip


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Return all that *path* imports, late imports too, as absolute names of modules."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, *([node.module] if node.module else [])])
            # `from bridge import net` imports a module; `from x import y` perhaps one.
            yield from (f"{name}.{alias.name}" for alias in node.names)


def place_of(module: str) -> str:
    """Return the place in the plan that *module* stands in; "" for one that is not ours."""
    parts = module.split(".")
    if parts[0] == "adapters":
        return "adapters"
    return ".".join(parts[:2]) if parts[0] == "bridge" and len(parts) > 1 else ""


def adapter_of(module: str) -> str:
    """Return the folder of an adapter, such as ``adapters.sources.shopify``."""
    parts = module.split(".")
    return ".".join(parts[:3]) if parts[0] == "adapters" and len(parts) > 2 else ""


def test_every_module_has_a_place_in_the_plan():
    places = {place_of(module_of(path)) for path in python_files("bridge", "adapters")} - {""}

    assert places - STEP_OF.keys() == set()


def test_a_module_imports_only_from_lower_steps():
    wrong = [
        f"{module_of(path)} imports {name}"
        for path in python_files("bridge", "adapters")
        for name in imports_of(path)
        if (here := place_of(module_of(path))) and (there := place_of(name)) not in {"", here}
        if STEP_OF.get(there, 99) >= STEP_OF.get(here, -1)
    ]

    assert wrong == []


def test_no_package_imports_the_root_of_another():
    wrong = [
        f"{module_of(path)} imports {name}"
        for path in python_files("bridge", "adapters")
        for name in imports_of(path)
        if name in {"bridge", "adapters", "adapters.sources", "adapters.destinations"}
    ]

    assert wrong == []


def test_adapters_know_the_vocabulary_and_no_other_adapter():
    wrong = [
        f"{module_of(path)} imports {name}"
        for path in python_files("adapters")
        for name in imports_of(path)
        if (name.startswith("bridge") and place_of(name) != "bridge.events")
        or (name.startswith("adapters") and adapter_of(name) != adapter_of(module_of(path)))
    ]

    assert wrong == []


def test_the_vocabulary_needs_only_the_standard_library():
    contracts = ROOT / "bridge" / "events" / "testing"
    foreign = {
        name.split(".")[0]
        for path in python_files("bridge/events")
        for name in imports_of(path)
        if not (contracts in path.parents and name.startswith("pytest"))
    }

    assert foreign - sys.stdlib_module_names - {"bridge"} == set()


def test_the_root_package_imports_nothing():
    assert imports_of(ROOT / "bridge" / "__init__.py") == frozenset()


def test_only_the_store_speaks_to_databases():
    wrong = [
        f"{module_of(path)} imports {name}"
        for path in python_files("bridge", "adapters")
        for name in imports_of(path)
        if name.split(".")[0] in DATABASES and place_of(module_of(path)) != "bridge.store"
    ]

    assert wrong == []


def test_the_machine_names_no_shop_system():
    files = [path for path in (ROOT / "bridge").rglob("*") if path.is_file()]
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in files
        if "__pycache__" not in path.parts
        if (found := SHOP_SYSTEMS.search(path.read_bytes().decode("utf-8", "replace")))
    ]

    assert wrong == []


def test_no_python_file_is_too_long():
    files = python_files("bridge", "adapters", "tests", "benchmarks")
    lines = {str(path.relative_to(ROOT)): path.read_bytes().count(b"\n") for path in files}

    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def committed_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout  # fmt: skip
    names = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    # Without git (an unpacked archive) the folders that are shipped.
    return [path for path in names if path.is_file()] or python_files("bridge", "adapters", "tests")


def test_no_file_names_a_package_registry_or_a_place_on_one_machine():
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in committed_files()
        if (found := FOREIGN_NAMES.search(path.read_bytes().decode("utf-8", "replace")))
    ]

    assert wrong == []

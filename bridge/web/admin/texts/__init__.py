"""What the pages say: a folder a language, in it a file a page, in it a text a key.

The text ``title`` of ``en/login.json`` has the key ``login.title``.  A placeholder is written
``{name}``.  All languages have the same keys.
"""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = {"en": "English", "fr": "Français"}
DEFAULT: Final = "en"


# No line begins with a sign that French sets off by a space.
_SPACES: Final = re.compile(r" (?=[;:?!»%])|(?<=«) ")


@cache
def texts(language: str) -> dict[str, str]:
    """Return all texts of a language by key."""
    folder = files(__name__).joinpath(language)
    return {
        f"{file.name.removesuffix('.json')}.{key}": _SPACES.sub("\N{NO-BREAK SPACE}", text)
        for file in folder.iterdir()
        if file.name.endswith(".json")
        for key, text in json.loads(file.read_text(encoding="utf-8")).items()
    }


def text(language: str, key: str, **values: object) -> str:
    """Return the text of *key*; raises KeyError for a key that is nobody's.

    Of a *count* of 1 the text ``<key>_one`` speaks, where there is one.
    """
    known = texts(language)
    one = f"{key}_one" if str(values.get("count")) == "1" else ""
    return known.get(one, known[key]).format(**values)


def word(language: str, kind: str, name: str) -> str:
    """Return the text ``kind.name``, or *name* itself: states and reasons may be new."""
    return texts(language).get(f"{kind}.{name}", name)

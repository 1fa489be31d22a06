"""Event ids: the one table that script, pixel and companion are tested with too."""

import json
from pathlib import Path

import pytest

from bridge.events import ID_WORDS, Occasion, event_id

TABLE = json.loads((Path(__file__).parents[2] / "vectors" / "event_ids.json").read_text())


@pytest.mark.parametrize("row", TABLE, ids=[row["event_id"] for row in TABLE])
def test_an_event_id_is_as_the_table_says(row):
    assert event_id(row["occasion"], row["subject_id"], row["word"]) == row["event_id"]


def test_every_occasion_has_its_own_word_and_stands_in_the_table():
    assert set(ID_WORDS) == set(Occasion) <= {row["occasion"] for row in TABLE}
    assert len(set(ID_WORDS.values())) == len(Occasion)

"""``plan``: shown, checked, compared and put in force; a mistake names its line."""

import pytest

from bridge import plan as plans

from .conftest import assert_one_sentence

STRICTER = '[consent]\nunknown_elsewhere = "skip"\n'


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a plan and gives its path."""

    def write(text: str | bytes):
        path = tmp_path / "plan.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_built_in_plan_is_shown_until_another_is_applied(cli, written):
    before = cli("plan", "show")
    applied = cli("plan", "apply", written(STRICTER))
    after = cli("plan", "show")

    assert before.out == plans.default_text()
    assert plans.digest(STRICTER) in applied.out
    assert after.out == STRICTER
    assert cli("plan", "show", "--default").out == plans.default_text()


def test_what_is_shown_can_be_applied_again(cli, written):
    shown = cli("plan", "show").out

    assert cli("plan", "check", written(shown)).code == 0
    assert cli("plan", "apply", written(shown)).code == 0


def test_a_sound_plan_has_no_mistake(cli, written):
    ended = cli("plan", "check", written(STRICTER))

    assert ended.code == 0
    assert "no mistake" in ended.out
    assert plans.digest(STRICTER) in ended.out


def test_a_difference_is_told_key_by_key(cli, written):
    changed = cli("plan", "diff", written(STRICTER))
    cli("plan", "apply", written(STRICTER))
    same = cli("plan", "diff", written(STRICTER))

    assert "unknown_elsewhere" in changed.out
    assert same.out == "no change\n"


def test_words_for_a_name_that_nobody_has_are_warned_of(cli, written):
    cli("source", "add", "shopify", "--name", "shop", "--secret", "hush")
    text = '[source.shpo.value]\ntax = false\n[destinations.eu]\ncurrencies = ["EUR"]\n'

    for command in ("diff", "apply", "preview"):
        told = cli("plan", command, written(text))
        assert told.code == 0
        assert 'no source is called "shpo"; did you mean "shop"?' in told.complaint
        assert 'no destination is called "eu"' in told.complaint


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[consent]\nmode = "enforce"\nunknown_optin = "perhaps"\n', ("line 3", "perhaps")),
        ('[consent]\nmood = "enforce"\n', ("line 2", "mood")),
        ("[consent\n", ("line 1",)),
    ],
    ids=["value", "key", "toml"],
)
def test_a_mistake_names_its_line_and_changes_nothing(cli, written, command, text, words):
    ended = cli("plan", command, written(text))

    assert_one_sentence(ended, *words)
    assert cli("plan", "show").out == plans.default_text()


@pytest.mark.parametrize("command", ["check", "diff", "apply"])
def test_a_file_that_is_no_text_is_told_in_one_sentence(cli, written, command):
    assert_one_sentence(cli("plan", command, written(b"\xff\xfe\x00")), "plan.toml")


def test_a_plan_of_an_editor_with_a_byte_order_mark_is_read(cli, written):
    assert cli("plan", "check", written(b"\xef\xbb\xbf" + STRICTER.encode())).code == 0


def test_a_file_that_is_not_there_is_a_wrong_use(cli):
    ended = cli("plan", "check", "nowhere.toml")

    assert (ended.code, ended.out) == (2, "")
    assert "nowhere.toml" in ended.complaint


def test_a_plan_that_is_applied_is_noted(cli, written, store):
    cli("plan", "apply", written(STRICTER))

    assert store.history.plan() == STRICTER

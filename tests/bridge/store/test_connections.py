"""What an operator connects: sources, destinations, routes."""

import pytest
from sqlalchemy import event

from bridge.events import ConfigError
from bridge.store import Route
from bridge.store.connections import key_hash
from tests.stores import SECOND, START, rows


def test_a_source_comes_back_with_its_settings_and_fresh_keys(store, source):
    found = store.connections.source("shop")
    other = store.connections.add_source("bogus", "other", {})

    assert found == source
    assert (found.settings, found.word, found.state) == ({"secret": "hush"}, "w1", "active")
    assert len({found.webhook_key, found.collect_key, other.webhook_key, other.collect_key}) == 4
    assert min(len(found.webhook_key), len(found.collect_key)) >= 22  # 128 random bits
    assert [one.name for one in store.connections.sources()] == ["shop", "other"]


def test_a_source_is_found_by_its_webhook_key_alone(store, source):
    by_key = store.connections.source_by_webhook_key

    assert by_key(source.webhook_key) == source
    for wrong in (source.collect_key, source.webhook_key.swapcase(), "", "é\0\ud800", "x" * 9999):
        assert by_key(wrong) is None


def test_a_source_and_a_destination_are_found_by_their_ids(store, source, destination):
    assert store.connections.source(str(source.id)) == source
    assert store.connections.destination(str(destination.id)) == destination


@pytest.mark.parametrize("name", ["", "nobody", "0", "9" * 18, "9" * 19, "9" * 5000, "٣", "²"])
def test_a_name_that_nobody_has_is_an_error_of_configuration(store, source, destination, name):
    with pytest.raises(ConfigError, match="source: there is none"):
        store.connections.source(name)
    with pytest.raises(ConfigError, match="destination: there is none"):
        store.connections.destination(name)


@pytest.mark.parametrize("name", ["", " ", "1", "2024"])
def test_a_name_that_would_be_read_as_an_id_is_refused(store, name):
    with pytest.raises(ConfigError, match="a name needs a letter"):
        store.connections.add_source("bogus", name, {})
    with pytest.raises(ConfigError, match="a name needs a letter"):
        store.connections.add_destination("bogus", name, {})
    assert rows(store, "source") == rows(store, "destination") == []


@pytest.mark.parametrize(("name", "word", "told"), [("shop", "w9", "name"), ("new", "w1", "word")])
def test_names_and_words_are_taken_once(store, source, name, word, told):
    with pytest.raises(ConfigError, match=f"source: the {told} .* is taken"):
        store.connections.add_source("bogus", name, {}, word)


def test_a_destination_is_taken_once_and_the_database_goes_on(store, destination):
    with pytest.raises(ConfigError, match="destination: the name dataset is taken"):
        store.connections.add_destination("bogus", "dataset", {})

    store.connections.add_destination("bogus", "other", {})
    assert [one.name for one in store.connections.destinations()] == ["dataset", "other"]


def test_state_and_settings_are_changed_apart(store, source, destination):
    store.connections.set_source(source.id, state="paused")
    store.connections.set_source(source.id, settings={"secret": "new"})
    store.connections.set_destination(destination.id, state="parked", reason="token")
    store.connections.set_destination(destination.id, settings={"access_token": "new"})

    shop = store.connections.source("shop")
    dataset = store.connections.destination("dataset")
    assert (shop.state, shop.settings) == ("paused", {"secret": "new"})
    assert (dataset.state, dataset.reason) == ("parked", "token")
    assert dataset.settings == {"access_token": "new"}


def test_a_changed_destination_is_tried_again_at_once(store, destination):
    store.outbox.slow_down(destination.id, next_at=START + SECOND, failures=5)
    store.connections.set_destination(destination.id, settings={"access_token": "new"})

    assert store.connections.destination("dataset").next_at == 0
    assert store.connections.destination("dataset").failures == 0


def test_a_removed_destination_is_gone_with_its_routes(store, source, destination, route):
    store.connections.set_destination(destination.id, state="removed")

    assert store.connections.destinations() == []
    assert store.connections.routes() == store.connections.routes(source.id) == []
    with pytest.raises(ConfigError, match="there is none"):
        store.connections.destination("dataset")


def test_a_route_takes_the_place_of_the_one_between_the_same_ends(store, source, route):
    changed = Route(**{**vars(route), "mode": "test", "test_event_code": "TEST1", "toggles": {}})
    store.connections.set_route(changed)

    assert store.connections.routes(source.id) == [changed]
    assert store.connections.routes(source.id + 1) == []


def test_pings_are_noted_once_a_minute_and_cost_no_other_write(store, source):
    ping = store.connections.ping_seen
    ping(source.id, START)
    begun = []
    event.listen(store.database.engine, "commit", lambda connection: begun.append(connection))
    for second in range(60):
        ping(source.id, START + second * SECOND)
    writes = [one for one in begun if one.get_execution_options().get("write")]
    ping(source.id, START + 61 * SECOND)

    assert writes == []
    assert store.connections.source("shop").ping_at == START + 61 * SECOND


def test_a_grant_is_taken_once_and_a_guessed_state_costs_no_write(store, source):
    connections = store.connections
    connections.expect_grant("state", source.id, "session", START + SECOND)
    begun = []
    event.listen(store.database.engine, "commit", lambda connection: begun.append(connection))
    guessed = connections.take_grant("guess", START)
    writes = [one for one in begun if one.get_execution_options().get("write")]

    assert (guessed, writes) == (None, [])
    assert connections.take_grant("state", START) == (source.id, key_hash("session"))
    assert connections.take_grant("state", START) is None


def test_a_grant_that_comes_too_late_is_none(store, source):
    store.connections.expect_grant("state", source.id, "session", START)

    assert store.connections.take_grant("state", START + SECOND) is None


def test_what_is_handed_out_shows_no_secret_when_printed(store, source, destination):
    shown = repr([source, destination, store.connections.sources()])

    assert "hush" not in shown
    assert source.webhook_key not in shown
    assert source.collect_key not in shown

"""What the browser told: only the right form passes, and it passes unchanged."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.destinations.meta.browser import browser_id, click_id, ip_address, page, user_agent

SEEN_AT = datetime(2026, 11, 19, 8, 0, 0, 123_000, tzinfo=UTC)
SEEN_AT_MS = "1795075200123"
COOKIE = "fb.1.1700000000000.IwAR0_x-Y"
ANY = st.text(st.characters(codec=None))


@pytest.mark.parametrize("cookie", [COOKIE, COOKIE + ".AQICAQMC", "fb.2.1700000000.IwAR0_x-Y"])
def test_a_cookie_passes_unchanged(cookie):
    assert browser_id(cookie) == cookie
    assert click_id(cookie, None, SEEN_AT) == cookie


@pytest.mark.parametrize(
    "cookie", ["", "a.b.c.d", COOKIE + "\r\nX: y", COOKIE + "\n", "fb.1.1700000000000.", "fb.1.1.x"]
)
def test_a_forged_cookie_is_not_sent(cookie):
    assert browser_id(cookie) is None
    assert click_id(cookie, None, SEEN_AT) is None


def test_a_click_id_alone_is_dressed_with_its_time_in_milliseconds():
    assert click_id(None, "IwAR0_x", SEEN_AT) == f"fb.1.{SEEN_AT_MS}.IwAR0_x"


def test_a_newer_click_id_wins_over_the_cookie():
    assert click_id(COOKIE, "IwAR9_new", SEEN_AT) == f"fb.1.{SEEN_AT_MS}.IwAR9_new"


@pytest.mark.parametrize("cookie", [COOKIE, COOKIE + ".AQICAQMC"])
def test_the_cookie_stays_when_it_holds_the_click_id(cookie):
    assert click_id(cookie, "IwAR0_x-Y", SEEN_AT) == cookie


@pytest.mark.parametrize("fbclid", ["a\r\nb", "a.b", "a b", "x" * 501])
def test_a_forged_click_id_leaves_the_cookie(fbclid):
    assert click_id(COOKIE, fbclid, SEEN_AT) == COOKIE
    assert click_id(None, fbclid, SEEN_AT) is None


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0:0::1", "2001:DB8:0:0::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("100.64.0.1", "100.64.0.1"),
    ],
)
def test_an_address_of_the_internet_is_sent(raw, sent):
    assert ip_address(raw) == sent


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "",
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "169.254.0.1",
        "fe80::1",
        "2001:db8::1%eth0",
        "fd00::1",
        "0.0.0.0",
        "::",
        "::ffff:10.0.0.1",
        "203.0.113.9, 10.0.0.1",
        "203.0.113.9:80",
    ],
)
def test_no_other_address_is_sent(raw):
    assert ip_address(raw) is None


def test_a_user_agent_is_trimmed_and_capped():
    assert user_agent(" Mozilla\x00/5.0 ") == "Mozilla/5.0"
    assert user_agent("x" * 5_000) == "x" * 1_000
    assert user_agent(" ") is None


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTP://shop.example/a/b", "HTTP://shop.example/a/b"),
        ("https://shop.example/ok/?key=wc_order_x&utm_source=a#t", "https://shop.example/ok/?utm_source=a"),
        ("https://shop.example/?utm_term=jo@b.com&utm_id=7", "https://shop.example/?utm_id=7"),
        ("https://shop.example/?utm_term=jo%40b.com", "https://shop.example/"),
        ("https://jo:pw@shop.example/a", "https://shop.example/a"),
        ("https://shop.example/u/jo@b.com/x", "https://shop.example/"),
        ("https://shop.example/@brand/x.html", "https://shop.example/@brand/x.html"),
        ("https://shop.example/a?utm_id=" + "x" * 3_000, "https://shop.example/a"),
        ("https://shop.example/" + "x" * 3_000, "https://shop.example/"),
        ("https://shop.example/ü", "https://shop.example/ü"),
    ],
)  # fmt: skip
def test_of_a_page_only_path_and_campaign_are_sent(raw, sent):
    assert page(raw) == sent


@pytest.mark.parametrize(
    "raw", [None, "", "/a", "ftp://a.example/", "javascript:1", "https://", "a b"]
)
def test_what_is_no_page_is_not_sent(raw):
    assert page(raw) is None


@settings(deadline=None)
@given(ANY)
def test_any_text_is_taken_or_left(raw):
    for read in (
        browser_id,
        ip_address,
        user_agent,
        page,
        lambda text: click_id(text, text, SEEN_AT),
    ):
        text = read(raw)
        assert text is None or text.encode()

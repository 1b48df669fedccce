"""How fast a host is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.scrape.pace import Host, host_key


def test_delay_follows_a_slow_host() -> None:
    host = Host(floor_s=1.0, most_s=30.0)
    assert host.delay_s == 1.0
    for _ in range(20):
        host.answered(4.0)
    assert host.delay_s == pytest.approx(4.0, abs=0.1)
    for _ in range(20):
        host.answered(0.1)
    assert host.delay_s == 1.0


def test_delay_grows_with_refusals_and_fades_with_good_answers() -> None:
    host = Host(floor_s=1.0, most_s=30.0)
    delays = []
    for _ in range(6):
        host.refused()
        delays.append(host.delay_s)
    assert delays == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    for _ in range(20):
        host.answered(0.1)
    assert host.delay_s == 1.0
    assert host.strikes == 0


@given(
    st.floats(0, 100), st.lists(st.one_of(st.none(), st.floats(0.001, 300)), max_size=60), st.floats(0, 60)
)  # fmt: skip
def test_delay_is_never_below_its_floor_nor_beyond_what_we_add(
    floor: float, answers: list[float | None], most: float
) -> None:
    host = Host(floor_s=floor, most_s=most)
    for seconds in answers:
        if seconds is None:
            host.refused()
        else:
            host.answered(seconds)
        assert floor <= host.delay_s <= max(floor, most)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://post.example/a", "post.example"),
        ("http://post.example:80/", "post.example"),
        ("http://post.example:8080/", "post.example:8080"),
        ("http://u:p@post.example/", "post.example"),
    ],
)
def test_host_key_is_one_queue_a_host(url: str, key: str) -> None:
    assert host_key(url) == key

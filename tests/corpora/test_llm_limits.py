"""What endpoints say about their limits, as they are known to say it."""

import time
from email.utils import formatdate

import pytest

from corpora.errors import UserError
from corpora.llm.limits import Gate, duration, retry_after, until_reset


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("7.66s", 7.66),
        ("2", 2),
        ("", 0),
        ("soon", 0),
        ("nan", 0),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == pytest.approx(seconds)


def test_retry_after_in_seconds_milliseconds_or_as_a_date():
    assert retry_after({"retry-after": "3"}) == 3
    assert retry_after({"retry-after": "3", "retry-after-ms": "2500"}) == 2.5
    assert retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)}) == pytest.approx(30, abs=2)
    assert retry_after({"retry-after": formatdate(time.time() - 30, usegmt=True)}) == 0
    assert retry_after({"retry-after": "later"}) is None
    assert retry_after({}) is None


def test_a_limit_is_waited_for_where_it_leaves_no_room():
    headers = {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"}
    assert until_reset(headers, 500) == 0
    headers |= {
        "x-ratelimit-remaining-tokens": "400",
        "x-ratelimit-reset-tokens": "2s",
        "x-ratelimit-limit-tokens": "1000",
    }
    assert until_reset(headers, 500) == 2
    assert until_reset(headers, 300) == 0
    # A request larger than the whole limit is sent when all of it is free.
    assert until_reset({**headers, "x-ratelimit-remaining-tokens": "1000"}, 5000) == 0
    assert until_reset({**headers, "x-ratelimit-remaining-requests": "0"}, 300) == 9


def test_unreasonable_waits_are_refused():
    with pytest.raises(UserError, match="wait 24.0 hours"):
        Gate().close(86400)

"""Signatures, addresses, back-off and facts, without a network."""

from __future__ import annotations

import base64

import pytest

from chalicelib.domain.notification import signing
from chalicelib.domain.notification.address import forbidden
from chalicelib.domain.notification.delivery import (
    BACKOFF,
    KEPT_S,
    Delivery,
    Reply,
    Standing,
    attempted,
    first,
    replayed,
)
from chalicelib.domain.notification.event import EventType, Notification
from chalicelib.domain.notification.facts import FINE, Fact, Seen, changed
from chalicelib.domain.notification.payload import body

EVENT = Notification(
    id="msg_1", type=EventType.HOST_AWAY, at=1_800_000_000.0, subject="host:h1", title="<!channel> & h1"
)


def test_the_signature_is_that_of_the_specification() -> None:
    """The vector that Standard Webhooks' own libraries are tested with."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signing.headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}')
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_each_webhook_has_a_secret_of_its_own() -> None:
    found = {signing.secret(key, tenant, uid) for key in (b"a", b"b") for tenant in ("t", "u") for uid in ("1", "2")}
    assert len(found) == 8
    assert all(len(base64.b64decode(one.removeprefix("whsec_"))) == 32 for one in found)


@pytest.mark.parametrize(
    ("address", "private", "public"),
    [
        ("93.184.216.34", "", ""),
        ("2606:2800:220:1:248:1893:25c8:1946", "", ""),
        ("127.0.0.1", "", "a private address"),
        ("::1", "", "a private address"),
        ("10.1.2.3", "", "a private address"),
        ("192.168.1.1", "", "a private address"),
        ("172.31.0.1", "", "a private address"),
        ("100.64.0.1", "", "a private address"),
        ("fd12::1", "", "a private address"),
        ("::ffff:10.0.0.1", "", "a private address"),
        ("64:ff9b::a00:1", "", "a private address"),
        ("2002:a00:1::", "", "a private address"),
        ("169.254.1.1", "a link-local address", "a link-local address"),
        ("fe80::1%eth0", "a link-local address", "a link-local address"),
        ("169.254.169.254", "the metadata service of a cloud", "the metadata service of a cloud"),
        ("::ffff:a9fe:a9fe", "the metadata service of a cloud", "the metadata service of a cloud"),
        ("64:ff9b::a9fe:a9fe", "the metadata service of a cloud", "the metadata service of a cloud"),
        ("fd00:ec2::254", "the metadata service of a cloud", "the metadata service of a cloud"),
        ("0.0.0.0", "no address of a single host", "no address of a single host"),  # noqa: S104
        ("::", "no address of a single host", "no address of a single host"),
        ("224.0.0.1", "no address of a single host", "no address of a single host"),
        ("255.255.255.255", "no address of a single host", "no address of a single host"),
    ],
)
def test_nothing_is_sent_inside(address: str, private: str, public: str) -> None:
    assert forbidden(address, private=True) == private
    assert forbidden(address, private=False) == public


def start() -> Delivery:
    return first(EVENT, "ops", "u1", 100.0)


def test_waits_grow_with_jitter_and_end_in_a_dead_letter() -> None:
    one, now = start(), 100.0
    for wait in BACKOFF:
        one = attempted(one, Reply(status=500), now)
        assert one.standing is Standing.PENDING
        assert wait * 0.5 <= one.next_at - now <= wait * 1.5
        now = one.next_at
    one = attempted(one, Reply(error="refused"), now)
    assert (one.standing, one.count, one.attempts[-1].error) == (Standing.DEAD, len(BACKOFF) + 1, "refused")
    again = replayed(one, now)
    assert (again.id, again.standing, again.count, again.replays) == (one.id, Standing.PENDING, 0, 1)
    assert now - 100 < KEPT_S


def test_deliveries_that_failed_together_come_again_apart() -> None:
    found = {attempted(first(EVENT, "ops", f"u{n}", 0.0), Reply(status=500), 0.0).next_at for n in range(50)}
    assert len(found) == 50


@pytest.mark.parametrize(
    ("reply", "standing"),
    [
        (Reply(status=200), Standing.DELIVERED),
        (Reply(status=299), Standing.DELIVERED),
        (Reply(status=301), Standing.PENDING),
        (Reply(status=410), Standing.DEAD),
        (Reply(error="private", refused=True), Standing.DEAD),
    ],
)
def test_what_an_answer_means(reply: Reply, standing: Standing) -> None:
    assert attempted(start(), reply, 100.0).standing is standing


def test_retry_after_is_kept_to_up_to_a_day() -> None:
    assert attempted(start(), Reply(status=503, retry_after=600), 0.0).next_at == 600
    assert attempted(start(), Reply(status=503, retry_after=9e6), 0.0).next_at == 86400


def seen(level: str) -> Seen:
    kind = EventType.HOST_BACK if level == FINE else EventType.HOST_AWAY
    return Seen(level=level, type=kind, title=level, data={})


def test_a_fact_is_told_when_it_changes_and_each_change_has_its_own_id() -> None:
    told = []
    fact: Fact | None = None
    for second, level in enumerate([FINE, FINE, "away", "away", FINE, FINE, "away"]):
        made = changed(fact, "host:h.1", seen(level), float(second))
        if made:
            fact = made[0]
            told.append(made[1])
    assert [one.title for one in told] == ["away", FINE, "away"]
    assert len({one.id for one in told}) == 3
    assert not any("." in one.id for one in told)
    assert told[1].data == {"before": "away", "now": FINE, "since": 2.0}


def test_slack_texts_mention_nobody() -> None:
    sent = body(EVENT, "slack").decode()
    assert "&lt;!channel&gt; &amp; h1" in sent
    assert "<!channel>" not in sent
    assert body(EVENT, "standard") == body(EVENT, "standard")

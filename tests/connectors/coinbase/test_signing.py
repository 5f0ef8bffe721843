"""Coinbase's tokens, configurations of orders, and reasons."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.connectors.ears import spot
from tests.connectors.stage import limit
from tradeloom.connectors.budgets import Budgets, BudgetSpent
from tradeloom.connectors.contract import Unsupported
from tradeloom.connectors.dialect import NoSuchOrder, Refusal
from tradeloom.connectors.instruments import Listing
from tradeloom.connectors.link import LoginRefused
from tradeloom.connectors.rest import NoAnswer
from tradeloom.connectors.venues.coinbase import frames, orders
from tradeloom.connectors.venues.coinbase.errors import refuse_order, refuse_reason, refuse_status
from tradeloom.connectors.venues.coinbase.profile import SPOT
from tradeloom.connectors.venues.coinbase.signing import Signer
from tradeloom.domain.enums import ReturnCode, Side, TimeInForce

NAME = "organizations/one/apiKeys/two"
URI = "GET api.coinbase.com/api/v3/brokerage/accounts"


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, claims, signature = token.split(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    return json.loads(raw(head)), json.loads(raw(claims)), raw(signature), (
        f"{head}.{claims}".encode()
    )  # fmt: skip


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("escaped", [False, True])
def test_tokens_of_an_ecdsa_key(form: PrivateFormat, escaped: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    token = Signer(NAME, pem.replace("\n", "\\n") if escaped else pem).token(
        1_700_000_000, 120, URI
    )
    head, claims, signature, text = parts(token)
    assert (head["alg"], head["kid"], head["typ"]) == ("ES256", NAME, "JWT")
    assert len(head["nonce"]) == 32
    assert claims == {
        "iss": "cdp", "sub": NAME, "nbf": 1_700_000_000, "exp": 1_700_000_120, "uri": URI,
    }  # fmt: skip
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    key.public_key().verify(encode_dss_signature(r, s), text, ec.ECDSA(SHA256()))


@pytest.mark.parametrize("whole", [False, True])
def test_tokens_of_an_ed25519_key(whole: bool) -> None:
    """The seed of the vector of another venue; EdDSA signatures are the same every time."""
    seed = base64.b64decode("sKmC5939f6W9/viyhwyaNHa0f7j5wSMvZsysW5BB9L4=")
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    assert base64.b64encode(public) == b"1dCOvaOfUlYl8m8gNNUUA2cs9VZyaSD9vuwNgi944uM="
    secret = base64.b64encode(seed + public if whole else seed).decode()
    head, claims, signature, text = parts(Signer("id", secret).token(1_700_000_000, 120))
    assert (head["alg"], "uri" in claims) == ("EdDSA", False)
    key.public_key().verify(signature, text)


@pytest.mark.parametrize(
    "secret",
    [
        "nonsense",
        base64.b64encode(b"x" * 31).decode(),
        "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----",
        ec.generate_private_key(ec.SECP384R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
    ],
)
def test_a_secret_that_is_none_is_never_shown(secret: str) -> None:
    with pytest.raises(LoginRefused) as caught:
        Signer(NAME, secret).token(1, 120)
    assert secret not in str(caught.value)
    assert "enter the private key again" in str(caught.value)


def test_configurations() -> None:
    order = limit("a", "BTCUSD", Side.BUY, "0.1", "61000.5")
    assert orders.configuration(order) == {
        "limit_limit_gtc": {"base_size": "0.1", "limit_price": "61000.5", "post_only": False}
    }
    ioc = limit("a", "BTCUSD", Side.BUY, "0.1", "61000.5", tif=TimeInForce.IOC)
    assert list(orders.configuration(ioc)) == ["sor_limit_ioc"]
    small = limit("a", "BTCUSD", Side.BUY, "0.00000001", "61000.5", tif=TimeInForce.FOK)
    assert orders.configuration(small)["limit_limit_fok"]["base_size"] == "0.00000001"
    with pytest.raises(Unsupported, match="GTC, GTD, IOC, FOK"):
        orders.configuration(limit("a", "BTCUSD", Side.BUY, "1", "1", tif=TimeInForce.DAY))
    assert orders.wire_id("a") == orders.wire_id("a") != orders.wire_id("b")


def test_an_ended_order_that_tells_nothing_left_keeps_its_volume() -> None:
    """A volume of 0 means "not told": what was ordered stays."""
    listing = Listing(spot("coinbase", "BTC-USD", "BTC", "USD", 2))
    row = frames.UserOrder(
        "1", "CANCELLED", "BTC-USD", order_side="BUY", cumulative_quantity="0.3",
        leaves_quantity="0",
    )  # fmt: skip
    order = orders.from_user("coinbase", "main", listing, row, 1)
    assert (order.filled, order.volume) == (Decimal("0.3"), Decimal(0))


@pytest.mark.parametrize(
    ("error", "code", "field"),
    [
        (
            frames.PlaceError(
                error="UNKNOWN_FAILURE_REASON",
                preview_failure_reason="PREVIEW_INSUFFICIENT_FUND",
                new_order_failure_reason="UNKNOWN_FAILURE_REASON",
            ),
            ReturnCode.TRADE_NO_MONEY,
            "volume",
        ),
        (
            frames.PlaceError(error="UNSUPPORTED_ORDER_CONFIGURATION"),
            ReturnCode.TRADE_INCORRECT_CMD,
            "type",
        ),
        (
            frames.PlaceError(new_order_failure_reason="INVALID_LIMIT_PRICE_POST_ONLY"),
            ReturnCode.TRADE_BAD_PRICES,
            "post_only",
        ),
        (frames.PlaceError(error="BRAND_NEW_REASON"), ReturnCode.ERR_PARAMS, ""),
    ],
)
def test_reasons_under_http_200(error: frames.PlaceError, code: ReturnCode, field: str) -> None:
    with pytest.raises(Refusal) as caught:
        refuse_order(error)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.message


def test_statuses() -> None:
    budgets = Budgets(SPOT.windows)
    nothing = frames.Failure()
    for status in (500, 502, 503, 504, 408):
        with pytest.raises(NoAnswer):
            refuse_status(status, nothing, "", budgets, "private")
    with pytest.raises(LoginRefused, match="secret belongs"):
        refuse_status(401, nothing, "", budgets, "private")
    with pytest.raises(LoginRefused, match="permissions"):
        refuse_status(403, nothing, "", budgets, "private")
    with pytest.raises(NoSuchOrder):
        refuse_status(404, nothing, "", budgets, "private")
    with pytest.raises(NoSuchOrder):
        refuse_reason("UNKNOWN_CANCEL_ORDER")
    with pytest.raises(BudgetSpent):
        refuse_status(429, nothing, "9", budgets, "private")
    assert {each.name: round(each.blocked_s) for each in budgets.limits()}["private"] == 9

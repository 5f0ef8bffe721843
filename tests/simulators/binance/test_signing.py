"""Signatures and times, against the vectors the venue publishes."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance.signing import check_signature, check_time, hmac_hex
from tradeloom.simulators.dialect import Call
from tradeloom.simulators.keys import Credentials

# The one the venue publishes with its vectors.
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"  # noqa: S105
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
REST = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    "&timestamp=1499827319559"
)
REST_SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
WS_SIGNATURE = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
CREDENTIALS = Credentials(key=KEY, secret=SECRET)


def call(query: str, body: str = "") -> Call:
    return Call(
        method="POST", path="/", query=query, headers={}, body=body.encode(), ip="", params={}
    )


def test_the_published_rest_vector() -> None:
    assert hmac_hex(SECRET, REST) == REST_SIGNATURE
    check_signature(CREDENTIALS, Params.of_call(call(f"{REST}&signature={REST_SIGNATURE}")))
    check_signature(CREDENTIALS, Params.of_call(call("", f"{REST}&signature={REST_SIGNATURE}")))
    # Published as well: half in the URL, half in the body, joined without an ampersand.
    head, tail = REST.split("&quantity")
    mixed = hmac_hex(SECRET, f"{head}quantity{tail}")
    assert mixed == "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    check_signature(CREDENTIALS, Params.of_call(call(head, f"quantity{tail}&signature={mixed}")))


def test_the_published_websocket_vector() -> None:
    frame = {
        "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.01000000", "price": "52000.00", "recvWindow": 100,
        "timestamp": 1645423376532, "apiKey": KEY, "signature": WS_SIGNATURE,
    }  # fmt: skip
    check_signature(CREDENTIALS, Params.of_frame(json.dumps(frame).encode()))


def test_numbers_of_a_frame_are_signed_as_they_were_written() -> None:
    raw = b'{"price":52000.10,"timestamp":1,"flag":true,"signature":"%s"}'
    signed = hmac_hex(SECRET, "flag=true&price=52000.10&timestamp=1").encode()
    check_signature(CREDENTIALS, Params.of_frame(raw % signed))


def test_it_is_the_encoded_text_that_is_signed() -> None:
    encoded = "newClientOrderId=a%2Fb&timestamp=1"
    good, bad = hmac_hex(SECRET, encoded), hmac_hex(SECRET, "newClientOrderId=a/b&timestamp=1")
    check_signature(CREDENTIALS, Params.of_call(call(f"{encoded}&signature={good}")))
    with pytest.raises(BinanceError, match="-1022"):
        check_signature(CREDENTIALS, Params.of_call(call(f"{encoded}&signature={bad}")))


def test_an_rsa_key() -> None:
    import base64
    from urllib.parse import quote_plus

    private = generate_private_key(65_537, 2_048)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    credentials = Credentials(key=KEY, secret="", public_key=public)
    signed = base64.b64encode(private.sign(REST.encode(), PKCS1v15(), SHA256())).decode()
    check_signature(credentials, Params.of_call(call(f"{REST}&signature={quote_plus(signed)}")))
    for wrong in (f"{REST}1&signature={quote_plus(signed)}", f"{REST}&signature=abc"):
        with pytest.raises(BinanceError, match="-1022"):
            check_signature(credentials, Params.of_call(call(wrong)))


@pytest.mark.parametrize(
    ("sent_ms", "window", "fine"),
    [
        (10_000, "5000", True),
        (5_000, "5000", True),
        (4_999, "5000", False),
        (10_999, "5000", True),
        (11_000, "5000", False),
        (9_000, "500", False),
        (10_000, "60001", False),
    ],
)
def test_the_times_rule(sent_ms: int, window: str, fine: bool) -> None:
    params = Params({"timestamp": str(sent_ms), "recvWindow": window})
    if fine:
        check_time(params, 10_000)
    else:
        with pytest.raises(BinanceError, match=r"-1021|-1131"):
            check_time(params, 10_000)


def test_microseconds_are_understood() -> None:
    check_time(Params({"timestamp": "1645423376532000"}), 1_645_423_376_600)

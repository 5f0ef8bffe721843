"""The frame reader against json and Decimal: the same values, and no malformed text accepted."""

from __future__ import annotations

import json
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeloom._core import FrameReader

DIGITS = 2
MARKS = '{}[]",:'
FIELDS = [
    ("u", "int", True),
    ("b", "price", True),
    ("B", "size", True),
    ("m", "bool", False),
    ("x", "text", False),
    ("a", "levels", False),
]


class OffGrid(ValueError):  # noqa: N818
    """A price between two steps."""


READ = FrameReader(["data"], FIELDS, OffGrid).read

prices = st.decimals(-(10**9), 10**9, places=DIGITS)
amounts = st.decimals(0, 10**9, places=10)
words = st.text(
    st.characters(codec="utf-8", exclude_characters='\\"', min_codepoint=32), max_size=8
)
plain = st.one_of(st.integers(1, 9), words, st.none(), st.booleans())
other = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)


def written(number: Decimal, quoted: bool) -> str:
    return f'"{number:f}"' if quoted else f"{number:f}"


@st.composite
def frames(draw: st.DrawFn, *, quoted: bool | None = None) -> str:
    """A frame as a venue could send it, fields in any order, with others in between."""
    quoted = draw(st.booleans()) if quoted is None else quoted
    spaced = draw(st.sampled_from(["", " ", "\n\t"]))
    rows = draw(st.lists(st.tuples(prices, amounts), max_size=4))
    levels = ",".join(f"[{written(p, quoted)},{written(s, quoted)}]" for p, s in rows)
    members = {
        "u": str(draw(st.integers(-(2**62), 2**62))),
        "b": written(draw(prices), quoted),
        "B": written(draw(amounts), quoted),
        "m": draw(st.sampled_from(["true", "false", "null"])),
        "x": json.dumps(draw(words), ensure_ascii=False),
        "a": f"[{levels}]",
    }
    for name in draw(st.lists(words.filter(lambda w: w not in members), max_size=3)):
        members[name] = json.dumps(draw(other), ensure_ascii=False)
    order = draw(st.permutations(sorted(members)))
    inside = f",{spaced}".join(
        f"{json.dumps(name, ensure_ascii=False)}:{spaced}{members[name]}" for name in order
    )
    around = json.dumps(draw(other), ensure_ascii=False)
    return f'{{"stream":{around},{spaced}"data":{{{inside}}}}}'


def judged(frame: str) -> tuple[Any, ...]:
    """What json and Decimal say."""
    data = json.loads(frame, parse_float=Decimal)["data"]

    def scaled(value: object, digits: int) -> int:
        moved = Decimal(str(value)).scaleb(digits)
        return int(moved.to_integral_value(ROUND_DOWN))

    rows = tuple((scaled(p, DIGITS), scaled(s, 8)) for p, s in data["a"])
    return data["u"], scaled(data["b"], DIGITS), scaled(data["B"], 8), data["m"], data["x"], rows


@given(frames())
def test_it_reads_what_json_reads(frame: str) -> None:
    assert READ(frame, DIGITS) == judged(frame)
    assert READ(frame.encode(), DIGITS) == judged(frame)


@given(frames(), st.data())
def test_a_cut_frame_is_never_accepted(frame: str, data: st.DataObject) -> None:
    cut = frame[: data.draw(st.integers(0, len(frame) - 1))]
    with pytest.raises(ValueError, match=r"not the JSON|missing|does not fit"):
        READ(cut, DIGITS)


@given(frames(quoted=True), st.data())
def test_a_frame_with_a_mark_too_many_or_too_few_is_never_misread(
    frame: str, data: st.DataObject
) -> None:
    """Either it is refused, or json reads the same text and the same values."""
    if data.draw(st.booleans()):
        at = data.draw(st.sampled_from([n for n, each in enumerate(frame) if each in MARKS]))
        spoilt = frame[:at] + frame[at + 1 :]
    else:
        at = data.draw(st.integers(0, len(frame)))
        spoilt = frame[:at] + data.draw(st.sampled_from(MARKS)) + frame[at:]
    try:
        found = READ(spoilt, DIGITS)
    except ValueError:
        return
    try:
        expected = judged(spoilt)
    except (KeyError, TypeError):  # json reads it, and an optional field is gone
        assert None in found
        return
    assert found == expected


@given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        READ(noise, DIGITS)


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ('{"data":{"u":1,"b":"1.001","B":"1"}}', OffGrid),
        ('{"data":{"u":1.5,"b":"1","B":"1"}}', OffGrid),
        ('{"data":{"u":1,"b":"1"}}', ValueError),
        ('{"data":{"u":1,"b":"1","B":"NaN"}}', ValueError),
        ('{"data":{"u":1,"b":"Infinity","B":"1"}}', ValueError),
        ('{"data":{"u":1,"b":"0x10","B":"1"}}', ValueError),
        ('{"data":{"u":99999999999999999999,"b":"1","B":"1"}}', OffGrid),
        ('{"data":{"u":1,"b":"1","B":"1"}} {}', ValueError),
        ('{"other":{"u":1,"b":"1","B":"1"}}', ValueError),
        ("[" * 100_000, ValueError),
        ('{"stream":' + "[" * 1_000, ValueError),
    ],
)
def test_what_is_wrong_is_said(frame: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        READ(frame, DIGITS)

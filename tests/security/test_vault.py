"""The vault keeps keys of venues, and shows what they hold without showing them."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from tests.security.conftest import House
from tradeloom.security import BadValue, InsecureSecrets, NotFound
from tradeloom.store import tables as t

SECRET = "s3cret-of-the-venue"  # noqa: S105


async def test_a_key_comes_back_and_is_nowhere_in_the_clear(house: House) -> None:
    """What was put is taken; the row holds neither part as text."""
    vault = house.security.vault
    await vault.put("binance", "main", {"key": "public-part", "secret": SECRET})
    assert await vault.take("binance", "main") == {"key": "public-part", "secret": SECRET}
    async with house.database.read() as connection:
        row = (await connection.execute(select(t.venue_keys))).one()
        audit = (await connection.execute(select(t.audit))).all()
    assert SECRET.encode() not in row.sealed
    assert b"public-part" not in row.sealed
    assert SECRET not in repr(audit)
    assert "vault.put" in repr(audit)
    (shown,) = await vault.listed()
    assert (shown.venue, shown.account, shown.holds) == ("binance", "main", ["key", "secret"])


async def test_a_key_is_replaced_and_removed(house: House) -> None:
    """The newest one counts; a removed one is gone."""
    vault = house.security.vault
    await vault.put("okx", "main", {"key": "a", "secret": "b"})
    await vault.put("okx", "main", {"key": "c", "secret": "d", "passphrase": "e"})
    assert (await vault.take("okx", "main"))["key"] == "c"
    assert [row.account for row in await vault.listed("okx")] == ["main"]
    await vault.remove("okx", "main")
    with pytest.raises(NotFound):
        await vault.take("okx", "main")
    with pytest.raises(NotFound):
        await vault.remove("okx", "main")


async def test_a_sealed_key_does_not_open_in_another_place(house: House) -> None:
    """Whoever may write the table cannot move a key to a venue of his own."""
    vault = house.security.vault
    await vault.put("binance", "main", {"key": "a", "secret": SECRET})
    k = t.venue_keys
    async with house.database.write() as connection:
        await connection.execute(update(k).values(venue="mine"))
    with pytest.raises(InsecureSecrets) as caught:
        await vault.take("mine", "main")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("venue", "account", "values", "field"),
    [
        ("Bad Venue", "main", {"key": "a"}, "venue"),
        ("binance", "", {"key": "a"}, "account"),
        ("binance", "main", {}, "values"),
        ("binance", "main", {"key": " "}, "key"),
        ("binance", "main", {"key": "x" * 9_000}, "key"),
        ("binance", "main", {"a part": "x"}, "values"),
    ],
)
async def test_a_bad_key_is_refused(
    house: House, venue: str, account: str, values: dict[str, str], field: str
) -> None:
    """The error names the part; nothing is kept."""
    with pytest.raises(BadValue) as caught:
        await house.security.vault.put(venue, account, values)
    assert caught.value.field == field
    assert await house.security.vault.listed() == []

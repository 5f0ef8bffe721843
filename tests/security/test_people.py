"""Users, roles, owners, keys and the second factor."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from tests.security.conftest import NS, PASSWORD, House
from tradeloom.security import (
    BadCode,
    BadCredentials,
    BadToken,
    BadValue,
    NotAllowed,
    NotFound,
    Role,
    Scope,
    SecondFactorNeeded,
    Taken,
    TooMany,
)
from tradeloom.security.limits import API_KEYS_MAX, KEY_USED_EVERY_S, RECOVERY_CODES
from tradeloom.security.people import FIRST_ADMIN
from tradeloom.security.rights import EVERY_SCOPE

# ---- the first admin and passwords -----------------------------------------------------------


async def test_the_first_admin_is_made_once_and_must_change_his_password(house: House) -> None:
    security = house.security
    both = await asyncio.gather(*(security.people.first_admin() for _ in range(3)))
    made = [one for one in both if one is not None]
    assert len(made) == 1
    assert await security.people.first_admin() is None
    admin = made[0]
    assert (admin.login, len(admin.password)) == (FIRST_ADMIN, 20)
    tokens = await security.sign_in(admin.login, admin.password)
    assert tokens.must_change_password
    principal = await security.authenticate(tokens.access_token)
    assert principal.scopes == {Scope.PROFILE}
    with pytest.raises(NotAllowed):
        principal.need(Scope.USERS_MANAGE)
    await security.people.change_password(
        principal.user_id, admin.password, PASSWORD, keep_session=principal.session
    )
    principal = await security.authenticate(tokens.access_token)
    assert principal.scopes == EVERY_SCOPE
    with pytest.raises(BadCredentials):
        await security.sign_in(admin.login, admin.password)


async def test_changing_a_password_ends_the_other_sessions(house: House) -> None:
    security = house.security
    anna = await house.trader()
    other = await security.sign_in("anna", PASSWORD)
    people = security.people
    with pytest.raises(BadCredentials):
        await people.change_password(anna.user_id, "wrong password 1", "a new password 2")
    with pytest.raises(BadValue):
        await people.change_password(anna.user_id, PASSWORD, "short")
    with pytest.raises(BadValue):
        await people.change_password(anna.user_id, PASSWORD, PASSWORD)
    await people.change_password(
        anna.user_id, PASSWORD, "a new password 2", keep_session=anna.session
    )
    assert [one.id for one in await security.sessions.listed(anna.user_id)] == [anna.session]
    with pytest.raises(BadToken):
        await security.authenticate(other.access_token)
    await security.sign_in("anna", "a new password 2")
    for _ in range(9):
        try:
            await people.change_password(anna.user_id, "wrong password 1", "another one 33")
        except (BadCredentials, TooMany) as error:
            last = error
    assert isinstance(last, TooMany), "guessing the old password is as slow as signing in"


async def test_a_reset_password_must_be_changed(house: House) -> None:
    security, admin = house.security, await house.admin()
    anna = await house.trader()
    password = await security.people.reset_password(anna.user_id, actor=admin)
    with pytest.raises(BadCredentials):
        await security.sign_in("anna", PASSWORD)
    tokens = await security.sign_in("anna", password)
    assert (await security.authenticate(tokens.access_token)).must_change_password


# ---- who may do what -------------------------------------------------------------------------


async def test_a_manager_manages_traders_only(house: House) -> None:
    security, admin = house.security, await house.admin()
    people = security.people
    await people.create("max", PASSWORD, Role.MANAGER, actor=admin)
    tokens = await security.sign_in("max", PASSWORD)
    manager = await security.authenticate(tokens.access_token)
    trader = await people.create("tim", PASSWORD, Role.TRADER, actor=manager)
    await people.change(trader.id, actor=manager, name="Tim", disabled=True)
    for role in (Role.MANAGER, Role.DEALER, Role.ADMIN, Role.SERVICE):
        with pytest.raises(NotAllowed):
            await people.create(f"x-{role}", PASSWORD, role, actor=manager)
        with pytest.raises(NotAllowed):
            await people.change(trader.id, actor=manager, role=role)
    for attempt in (
        people.change(admin.user_id, actor=manager, disabled=True),
        people.change(manager.user_id, actor=manager, role=Role.ADMIN),
        people.reset_password(admin.user_id, actor=manager),
        security.second_factor.remove(admin.user_id, actor=manager),
        people.set_role(Role.MANAGER, EVERY_SCOPE, actor=manager),
        people.create("y-y", PASSWORD, actor=await house.trader("zoe")),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    assert (await people.get(trader.id)).role is Role.TRADER


async def test_one_admin_always_remains(house: House) -> None:
    security, admin = house.security, await house.admin()
    for change in ({"role": Role.TRADER}, {"disabled": True}):
        with pytest.raises(BadValue, match="last admin"):
            await security.people.change(admin.user_id, actor=admin, **change)
    await security.people.create("eve", PASSWORD, Role.ADMIN, actor=admin)
    changed = await security.people.change(admin.user_id, actor=admin, role=Role.TRADER)
    assert changed.role is Role.TRADER
    with pytest.raises(BadValue):
        await security.people.set_role(Role.ADMIN, frozenset(), actor=admin)


async def test_users_are_listed_page_by_page(house: House) -> None:
    for number in range(5):
        await house.security.sign_up(f"user{number}", PASSWORD)
    first = await house.security.people.listed(limit=3)
    rest = await house.security.people.listed(limit=3, cursor=first.next)
    assert [user.login for user in first.items + rest.items] == [
        f"user{n}" for n in (4, 3, 2, 1, 0)
    ]
    with pytest.raises(NotFound):
        await house.security.people.get(99)
    with pytest.raises(NotFound):
        await house.security.people.find("nobody")


async def test_accounts_have_one_owner(house: House) -> None:
    security = house.security
    anna, ben = await house.trader("anna"), await house.trader("ben")
    owners = security.owners
    await owners.give(1_001, anna.user_id)
    await owners.give(1_001, anna.user_id)
    await owners.give(2**64 - 1, anna.user_id)
    with pytest.raises(Taken):
        await owners.give(1_001, ben.user_id)
    tokens = await security.sign_in("anna", PASSWORD)
    principal = await security.authenticate(tokens.access_token)
    assert principal.accounts == {1_001, 2**64 - 1}
    assert principal.sees(1_001)
    assert not ben.sees(1_001)
    assert await owners.all() == {1_001: anna.user_id, 2**64 - 1: anna.user_id}
    await owners.take(1_001)
    await owners.give(1_001, ben.user_id)
    assert (await owners.all())[1_001] == ben.user_id


# ---- API keys --------------------------------------------------------------------------------


async def test_a_key_opens_what_its_scopes_say(house: House) -> None:
    security = house.security
    anna = await house.trader()
    await security.owners.give(7, anna.user_id)
    new = await security.create_api_key(anna, "bot", ["trade", "market:read"])
    assert new.key.startswith(new.row.prefix)
    principal = await security.authenticate(new.key)
    assert principal.scopes == {Scope.TRADE, Scope.MARKET_READ}
    assert (principal.key, principal.session) == (new.row.prefix, "")
    assert principal.accounts == {7}
    listed = await security.api_keys.listed(anna.user_id)
    assert [row.prefix for row in listed] == [new.row.prefix]
    assert listed[0].used == house.clock.ns()
    house.clock.seconds += KEY_USED_EVERY_S - 1
    await security.authenticate(new.key)
    assert (await security.api_keys.listed(anna.user_id))[0].used == listed[0].used
    house.clock.seconds += 1
    await security.authenticate(new.key)
    assert (await security.api_keys.listed(anna.user_id))[0].used == house.clock.ns()
    await security.api_keys.end(anna.user_id, new.row.prefix)
    with pytest.raises(BadToken):
        await security.authenticate(new.key)
    assert await security.api_keys.listed(anna.user_id) == []


async def test_a_key_has_no_more_rights_than_its_owner(house: House) -> None:
    security, admin = house.security, await house.admin()
    anna = await house.trader()
    with pytest.raises(NotAllowed):
        await security.create_api_key(anna, "bot", ["trade_all"])
    for scopes in ([], ["nonsense"], ["profile"]):
        with pytest.raises(BadValue):
            await security.create_api_key(anna, "bot", scopes)
    for name in ("", "  ", "x" * 200, "a\nb"):
        with pytest.raises(BadValue):
            await security.create_api_key(anna, name, ["trade"])
    new = await security.create_api_key(admin, "all", ["trade_all", "money", "market:read"])
    await security.people.create("eve", PASSWORD, Role.ADMIN, actor=admin)
    await security.people.change(admin.user_id, actor=admin, role=Role.TRADER)
    assert (await security.authenticate(new.key)).scopes == {Scope.MARKET_READ}


async def test_keys_expire_and_end(house: House) -> None:
    security = house.security
    anna, ben = await house.trader("anna"), await house.trader("ben")
    soon = house.clock.ns() + 60 * NS
    new = await security.create_api_key(anna, "bot", ["trade"], expires=soon)
    with pytest.raises(BadValue):
        await security.create_api_key(anna, "bot", ["trade"], expires=house.clock.ns())
    assert (await security.authenticate(new.key)).expires == soon / NS
    house.clock.seconds += 60
    with pytest.raises(BadToken) as caught:
        await security.authenticate(new.key)
    assert caught.value.expired
    with pytest.raises(NotFound):
        await security.api_keys.end(ben.user_id, new.row.prefix)
    for wrong in (new.key[:-1] + "_", new.row.prefix + "_x", "tlk_", "tlk_zzzzzzzz_" + "a" * 43):
        with pytest.raises(BadToken):
            await security.authenticate(wrong)


async def test_keys_are_bounded(house: House) -> None:
    anna = await house.trader()
    for number in range(API_KEYS_MAX):
        await house.security.create_api_key(anna, f"bot {number}", ["trade"])
    with pytest.raises(BadValue, match="at most"):
        await house.security.create_api_key(anna, "one more", ["trade"])


# ---- the second factor -----------------------------------------------------------------------


async def _with_second_factor(house: House) -> tuple[pyotp.TOTP, list[str], int]:
    security = house.security
    anna = await house.trader()
    enrolment = await security.enable_totp(anna)
    assert enrolment.uri.startswith("otpauth://totp/Tradeloom:anna?secret=" + enrolment.secret)
    totp = pyotp.TOTP(enrolment.secret)
    await security.sign_in("anna", PASSWORD)  # not asked for before it is confirmed
    with pytest.raises(BadCode):
        await security.second_factor.confirm(anna.user_id, "000000")
    codes = await security.second_factor.confirm(anna.user_id, totp.at(int(house.clock.seconds)))
    assert len(set(codes)) == RECOVERY_CODES
    assert (await security.me(anna)).second_factor
    house.clock.seconds += 60
    return totp, codes, anna.user_id


async def test_a_second_factor_is_asked_for_and_each_code_works_once(house: House) -> None:
    security, clock = house.security, house.clock
    totp, _, _ = await _with_second_factor(house)
    with pytest.raises(SecondFactorNeeded):
        await security.sign_in("anna", PASSWORD)
    with pytest.raises(BadCredentials):
        await security.sign_in("anna", "wrong password 1", code=totp.at(int(clock.seconds)))
    code = totp.at(int(clock.seconds))
    await security.sign_in("anna", PASSWORD, code=f" {code[:3]} {code[3:]} ")
    with pytest.raises(BadCode):
        await security.sign_in("anna", PASSWORD, code=code)
    with pytest.raises(BadCode):  # the step before the one just used
        await security.sign_in("anna", PASSWORD, code=totp.at(int(clock.seconds) - 30))
    await security.sign_in("anna", PASSWORD, code=totp.at(int(clock.seconds) + 30))
    clock.seconds += 3_600
    for drift in (-61, 61):
        with pytest.raises(BadCode):
            await security.sign_in("anna", PASSWORD, code=totp.at(int(clock.seconds) + drift))
    for odd in ("", "12345", "1234567", "abcdef", "１２３４５６", "x" * 999):
        with pytest.raises((BadCode, SecondFactorNeeded, TooMany)):
            await security.sign_in("anna", PASSWORD, code=odd)
        clock.seconds += 3_600


async def test_one_code_at_the_same_time_opens_once(house: House) -> None:
    totp, _, _ = await _with_second_factor(house)
    code = totp.at(int(house.clock.seconds))
    found = await asyncio.gather(
        *(house.security.sign_in("anna", PASSWORD, code=code) for _ in range(3)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in found) == ["BadCode", "BadCode", "Tokens"]


async def test_guessing_codes_gets_slow(house: House) -> None:
    await _with_second_factor(house)
    refused = 0
    for number in range(12):
        try:
            await house.security.sign_in("anna", PASSWORD, code=f"{number:06}")
        except TooMany:
            refused += 1
        except BadCode:
            pass
    assert refused >= 6


async def test_recovery_codes_work_once(house: House) -> None:
    security = house.security
    _, codes, user_id = await _with_second_factor(house)
    await security.sign_in("anna", PASSWORD, code=codes[0].upper().replace("-", " "))
    with pytest.raises(BadCode):
        await security.sign_in("anna", PASSWORD, code=codes[0])
    assert await security.second_factor.recovery_codes_left(user_id) == RECOVERY_CODES - 1
    await security.sign_in("anna", PASSWORD, code=codes[1])


async def test_turning_it_off_needs_the_password(house: House) -> None:
    security, factor = house.security, house.security.second_factor
    _, codes, user_id = await _with_second_factor(house)
    with pytest.raises(BadValue):
        await factor.begin(user_id)
    with pytest.raises(BadValue):
        await factor.confirm(user_id, "000000")
    with pytest.raises(BadCredentials):
        await factor.turn_off(user_id, "wrong password 1")
    await factor.turn_off(user_id, PASSWORD)
    await security.sign_in("anna", PASSWORD)
    assert await factor.recovery_codes_left(user_id) == 0
    await factor.begin(user_id)
    with pytest.raises(BadCode):
        await factor.confirm(user_id, codes[0])


async def test_an_admin_removes_a_lost_one(house: House) -> None:
    _, _, user_id = await _with_second_factor(house)
    await house.security.second_factor.remove(user_id, actor=await house.admin())
    await house.security.sign_in("anna", PASSWORD)

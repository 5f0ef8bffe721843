"""Groups: the trading conditions that many accounts share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from tradeloom.domain import numbers
from tradeloom.domain.enums import (
    CommissionMode,
    CommissionWhen,
    Execution,
    HedgedMargin,
    LevelUnit,
    MarginConversion,
    PositionMode,
)

_ZERO = Decimal(0)


class Commission(msgspec.Struct, frozen=True):
    """What a fill costs.

    `value`: money per lot or per deal in the account's currency, or for turnover a fraction of the
    notional value (0.0001 is one basis point).
    """

    mode: CommissionMode = CommissionMode.NONE
    value: Decimal = _ZERO
    when: CommissionWhen = CommissionWhen.BOTH

    def to_core(self) -> dict[str, Any]:
        """The integer JSON object of the core."""
        return {
            "mode": self.mode.value,
            "value": numbers.mantissa(self.value, 8, "commission"),
            "when": self.when.value,
        }

    @classmethod
    def from_core(cls, body: dict[str, Any]) -> Commission:
        """The commission behind the core's JSON object."""
        return cls(
            CommissionMode(body["mode"]),
            numbers.decimal(body["value"], 8, keep=0),
            CommissionWhen(body["when"]),
        )


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions of one instrument that differ from the group's; None means as the group."""

    symbol: str
    markup_points: int | None = None
    commission: Commission | None = None
    execution: Execution | None = None
    leverage: int | None = None

    def to_core(self) -> dict[str, Any]:
        """The integer JSON object of the core; only what is given."""
        body: dict[str, Any] = {"symbol": self.symbol}
        if self.markup_points is not None:
            body["markup_points"] = self.markup_points
        if self.commission is not None:
            body["commission"] = self.commission.to_core()
        if self.execution is not None:
            body["execution"] = self.execution.value
        if self.leverage is not None:
            body["leverage"] = self.leverage
        return body

    @classmethod
    def from_core(cls, body: dict[str, Any]) -> Override:
        """The override behind the core's JSON object."""
        commission, execution = body.get("commission"), body.get("execution")
        return cls(
            symbol=body["symbol"],
            markup_points=body.get("markup_points"),
            commission=Commission.from_core(commission) if commission else None,
            execution=Execution(execution) if execution else None,
            leverage=body.get("leverage"),
        )


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Pre-trade limits per account; 0 is off.

    Volumes in lots, `order_value_max` in the account's currency, `orders_per_s` counts commands in
    one calendar second.
    """

    order_volume_max: Decimal = _ZERO
    order_value_max: Decimal = _ZERO
    position_volume_max: Decimal = _ZERO
    orders_max: int = 0
    positions_max: int = 0
    orders_per_s: int = 0

    def to_core(self) -> dict[str, Any]:
        """The integer JSON object of the core."""
        return {
            "order_volume_max": numbers.volume(self.order_volume_max, "limits"),
            "order_value_max": numbers.mantissa(self.order_value_max, 8, "limits"),
            "position_volume_max": numbers.volume(self.position_volume_max, "limits"),
            "orders_max": self.orders_max,
            "positions_max": self.positions_max,
            "orders_per_s": self.orders_per_s,
        }

    @classmethod
    def from_core(cls, body: dict[str, Any]) -> Limits:
        """The limits behind the core's JSON object."""
        return cls(
            order_volume_max=numbers.lots(body["order_volume_max"]),
            order_value_max=numbers.amount(body["order_value_max"]),
            position_volume_max=numbers.lots(body["position_volume_max"]),
            orders_max=body["orders_max"],
            positions_max=body["positions_max"],
            orders_per_s=body["orders_per_s"],
        )


class Group(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="group"):
    """Trading conditions in natural units.

    `margin_call` and `stop_out` are margin levels: percent (100 is equity = margin) or money of the
    account. `isolated_stop`: part of its first margin at which an isolated position is closed.
    `execution` of None takes the instrument's.
    """

    name: str
    currency: str
    leverage: int = 100
    mode: PositionMode = PositionMode.HEDGING
    margin_call: Decimal = Decimal(100)
    stop_out: Decimal = Decimal(50)
    level_unit: LevelUnit = LevelUnit.PERCENT
    commission: Commission = Commission()
    markup_points: int = 0
    overrides: tuple[Override, ...] = ()
    negative_balance_protection: bool = False
    hedged_margin: HedgedMargin = HedgedMargin.NET
    stop_out_hedged: bool = False
    margin_conversion: MarginConversion = MarginConversion.SIDE
    isolated_stop: Decimal = Decimal("0.05")
    execution: Execution | None = None
    limits: Limits = Limits()

    def to_core(self) -> dict[str, Any]:
        """The integer JSON object of docs/engine/semantics.md, section 3; raises `BadNumber`."""
        digits = 2 if self.level_unit is LevelUnit.PERCENT else numbers.MONEY_DIGITS
        return {
            "name": self.name,
            "currency": self.currency,
            "leverage": self.leverage,
            "mode": self.mode.value,
            "margin_call": numbers.mantissa(self.margin_call, digits, "margin_call"),
            "stop_out": numbers.mantissa(self.stop_out, digits, "margin_call"),
            "level_unit": self.level_unit.value,
            "commission": self.commission.to_core(),
            "markup_points": self.markup_points,
            "overrides": [override.to_core() for override in self.overrides],
            "negative_balance_protection": self.negative_balance_protection,
            "hedged_margin": self.hedged_margin.value,
            "stop_out_hedged": self.stop_out_hedged,
            "margin_conversion": self.margin_conversion.value,
            "isolated_stop_ppm": numbers.ppm(self.isolated_stop, "body"),
            "execution": self.execution.value if self.execution else None,
            "limits": self.limits.to_core(),
        }

    @classmethod
    def from_core(cls, body: dict[str, Any]) -> Group:
        """The group behind the core's JSON object."""
        unit = LevelUnit(body["level_unit"])
        digits = 2 if unit is LevelUnit.PERCENT else numbers.MONEY_DIGITS
        return cls(
            name=body["name"],
            currency=body["currency"],
            leverage=body["leverage"],
            mode=PositionMode(body["mode"]),
            margin_call=numbers.decimal(body["margin_call"], digits, keep=0),
            stop_out=numbers.decimal(body["stop_out"], digits, keep=0),
            level_unit=unit,
            commission=Commission.from_core(body["commission"]),
            markup_points=body["markup_points"],
            overrides=tuple(Override.from_core(override) for override in body["overrides"]),
            negative_balance_protection=body["negative_balance_protection"],
            hedged_margin=HedgedMargin(body["hedged_margin"]),
            stop_out_hedged=body["stop_out_hedged"],
            margin_conversion=MarginConversion(body["margin_conversion"]),
            isolated_stop=numbers.ratio(body["isolated_stop_ppm"]),
            execution=Execution(body["execution"]) if body["execution"] else None,
            limits=Limits.from_core(body["limits"]),
        )

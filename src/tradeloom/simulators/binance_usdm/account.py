"""USD-M accounts: balances, positions, leverage, modes, listen keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tradeloom.simulators.accounts import (
    Account,
    Position,
    entry_price,
    margin_used,
    unrealised,
)
from tradeloom.simulators.binance.errors import BinanceError
from tradeloom.simulators.binance.family import Caller, Operation
from tradeloom.simulators.binance.params import Params
from tradeloom.simulators.binance_usdm.rows import price, size
from tradeloom.simulators.exchange import Market
from tradeloom.simulators.figures import fixed

if TYPE_CHECKING:
    from tradeloom.simulators.binance_usdm.usdm import BinanceUsdm

_MS: Final = 1_000_000
LEVERAGE_MAX: Final = 125


class UsdmAccount:
    """The operations on accounts."""

    def __init__(self, venue: BinanceUsdm) -> None:
        self._venue = venue
        self._exchange = venue.exchange

    def operations(self) -> list[Operation]:
        """The table."""
        look: dict[str, Any] = {"security": "signed", "weight": 5}
        trade: dict[str, Any] = {"security": "signed", "scope": "trade"}
        v1, key = "/fapi/v1", "/fapi/v1/listenKey"
        return [
            Operation(self.account, "account.status", "GET", "/fapi/v2/account", **look),
            Operation(self.account, "v2/account.status", "GET", "/fapi/v3/account", **look),
            Operation(self.balance, "account.balance", "GET", "/fapi/v2/balance", **look),
            Operation(self.balance, "v2/account.balance", "GET", "/fapi/v3/balance", **look),
            Operation(self.risk, "account.position", "GET", "/fapi/v2/positionRisk", **look),
            Operation(self.risk, "v2/account.position", "GET", "/fapi/v3/positionRisk", **look),
            Operation(self.commission, "", "GET", f"{v1}/commissionRate", **look),
            Operation(self.brackets, "", "GET", f"{v1}/leverageBracket", security="signed"),
            Operation(self.leverage, "", "POST", f"{v1}/leverage", **trade),
            Operation(self.margin_type, "", "POST", f"{v1}/marginType", **trade),
            Operation(self.set_mode, "", "POST", f"{v1}/positionSide/dual", **trade),
            Operation(self.mode, "", "GET", f"{v1}/positionSide/dual", **look),
            Operation(self.multi_assets, "", "GET", f"{v1}/multiAssetsMargin", **look),
            Operation(self.symbol_config, "", "GET", f"{v1}/symbolConfig", **look),
            Operation(self.account_config, "", "GET", f"{v1}/accountConfig", **look),
            Operation(self.start, "userDataStream.start", "POST", key, security="key"),
            Operation(self.keep, "userDataStream.ping", "PUT", key, security="key"),
            Operation(self.stop, "userDataStream.stop", "DELETE", key, security="key"),
        ]

    # ---- money -------------------------------------------------------------------------------

    def account(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """Everything at once."""
        account = self._exchange.accounts[caller.account]
        assets = [self._asset(account, asset) for asset in sorted(account.balances)]
        main = next((each for each in assets if each["asset"] == "USDT"), assets[0])
        totals = {
            "totalInitialMargin": main["initialMargin"],
            "totalMaintMargin": main["maintMargin"],
            "totalWalletBalance": main["walletBalance"],
            "totalUnrealizedProfit": main["unrealizedProfit"],
            "totalMarginBalance": main["marginBalance"],
            "totalPositionInitialMargin": main["positionInitialMargin"],
            "totalOpenOrderInitialMargin": main["openOrderInitialMargin"],
            "totalCrossWalletBalance": main["crossWalletBalance"],
            "totalCrossUnPnl": main["crossUnPnl"],
            "availableBalance": main["availableBalance"],
            "maxWithdrawAmount": main["maxWithdrawAmount"],
        }
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": False,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
            **totals,
            "assets": assets,
            "positions": [
                self._position_of_account(account, market, position)
                for market, position in self._positions(account)
            ],
        }

    def _asset(self, account: Account, asset: str) -> dict[str, Any]:
        balance = account.balance(asset)
        wallet = balance.free + balance.locked
        gain = bound = 0
        for market, position in self._positions(account):
            if market.instrument.settle == asset:
                gain += unrealised(market.instrument, position, market.mark)
                bound += margin_used(market.instrument, position, market.mark)
        free = fixed(max(0, self._exchange.available(account.name, asset)), 8)
        return {
            "asset": asset,
            "walletBalance": fixed(wallet, 8),
            "unrealizedProfit": fixed(gain, 8),
            "marginBalance": fixed(wallet + gain, 8),
            "maintMargin": fixed(bound // 10, 8),
            "initialMargin": fixed(bound + balance.locked, 8),
            "positionInitialMargin": fixed(bound, 8),
            "openOrderInitialMargin": fixed(balance.locked, 8),
            "crossWalletBalance": fixed(wallet, 8),
            "crossUnPnl": fixed(gain, 8),
            "availableBalance": free,
            "maxWithdrawAmount": free,
            "marginAvailable": True,
            "updateTime": self._venue.clock.now_ms(),
        }

    def balance(self, _params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Balances."""
        account = self._exchange.accounts[caller.account]
        rows = []
        for asset in sorted(account.balances):
            row = self._asset(account, asset)
            rows.append(
                {
                    "accountAlias": "SgsR",
                    "asset": asset,
                    "balance": row["walletBalance"],
                    "crossWalletBalance": row["crossWalletBalance"],
                    "crossUnPnl": row["crossUnPnl"],
                    "availableBalance": row["availableBalance"],
                    "maxWithdrawAmount": row["maxWithdrawAmount"],
                    "marginAvailable": True,
                    "updateTime": row["updateTime"],
                }
            )
        return rows

    # ---- positions ---------------------------------------------------------------------------

    def _positions(self, account: Account) -> list[tuple[Market, Position]]:
        return [
            (self._exchange.markets[symbol], position)
            for (symbol, _), position in sorted(account.positions.items())
            if position.size
        ]

    def risk(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Open positions; with `symbol` also a flat one."""
        account = self._exchange.accounts[caller.account]
        wanted = self._market(params) if "symbol" in params else None
        found = [each for each in self._positions(account) if wanted in (None, each[0])]
        if wanted is not None and not found:
            found = [(wanted, account.position(wanted.instrument.symbol))]
        return [self._risk(market, position) for market, position in found]

    def _risk(self, market: Market, position: Position) -> dict[str, Any]:
        at = market.instrument
        gain = unrealised(at, position, market.mark)
        bound = margin_used(at, position, market.mark)
        worth = bound * position.leverage
        entry = fixed(entry_price(at, position, 4), at.digits + 4)
        return {
            "symbol": at.wire,
            "positionSide": position.side or "BOTH",
            "positionAmt": size(at, position.size),
            "entryPrice": entry,
            "breakEvenPrice": entry,
            "markPrice": price(at, market.mark),
            "unRealizedProfit": fixed(gain, 8),
            "liquidationPrice": "0",
            "leverage": str(position.leverage),
            "marginType": "cross",
            "isolatedMargin": "0.00000000",
            "isAutoAddMargin": "false",
            "maxNotionalValue": "10000000",
            "notional": fixed(worth if position.size >= 0 else -worth, 8),
            "marginAsset": at.settle,
            "isolatedWallet": "0",
            "initialMargin": fixed(bound, 8),
            "maintMargin": fixed(bound // 10, 8),
            "positionInitialMargin": fixed(bound, 8),
            "openOrderInitialMargin": "0",
            "adl": 1,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": position.updated_ns // _MS,
        }

    def _position_of_account(
        self, account: Account, market: Market, position: Position
    ) -> dict[str, Any]:
        row = self._risk(market, position)
        return {
            "symbol": row["symbol"],
            "positionSide": row["positionSide"],
            "positionAmt": row["positionAmt"],
            "entryPrice": row["entryPrice"],
            "breakEvenPrice": row["breakEvenPrice"],
            "unrealizedProfit": row["unRealizedProfit"],
            "leverage": row["leverage"],
            "isolated": False,
            "isolatedMargin": "0",
            "isolatedWallet": "0",
            "notional": row["notional"],
            "initialMargin": row["initialMargin"],
            "maintMargin": row["maintMargin"],
            "positionInitialMargin": row["positionInitialMargin"],
            "openOrderInitialMargin": "0",
            "updateTime": row["updateTime"],
        }

    # ---- settings ----------------------------------------------------------------------------

    def leverage(self, params: Params, caller: Caller) -> dict[str, Any]:
        """Set the leverage of a symbol."""
        market = self._market(params)
        wanted = params.integer("leverage")
        if not 1 <= wanted <= LEVERAGE_MAX:
            raise BinanceError(-4028, f"Leverage {wanted} is not valid")
        account = self._exchange.accounts[caller.account]
        symbol = market.instrument.symbol
        for side in ("LONG", "SHORT") if account.hedged else ("",):
            account.position(symbol, side).leverage = wanted
        self._venue.user_data.config_changed(caller.account, market.instrument.wire, wanted)
        return {
            "leverage": wanted, "maxNotionalValue": "10000000", "symbol": market.instrument.wire,
        }  # fmt: skip

    def margin_type(self, params: Params, _caller: Caller) -> dict[str, Any]:
        """Only cross margin is simulated."""
        self._market(params)
        if params.text("marginType") in ("CROSSED", "CROSS"):
            raise BinanceError(-4046, "No need to change margin type.")
        raise BinanceError(-4047, "Margin type cannot be changed: only cross is simulated.")

    def set_mode(self, params: Params, caller: Caller) -> dict[str, Any]:
        """One-way or hedge mode; only without positions and orders."""
        account = self._exchange.accounts[caller.account]
        wanted = params.flag("dualSidePosition")
        if wanted == account.hedged:
            raise BinanceError(-4059, "No need to change position side.")
        if self._exchange.open_orders(caller.account):
            raise BinanceError(
                -4067, "Position side cannot be changed if there exists open orders."
            )
        if self._positions(account):
            raise BinanceError(-4068, "Position side cannot be changed if there exists position.")
        account.hedged = wanted
        return {"code": 200, "msg": "success"}

    def mode(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """The mode."""
        return {"dualSidePosition": self._exchange.accounts[caller.account].hedged}

    def multi_assets(self, _params: Params, _caller: Caller) -> dict[str, Any]:
        """Single-asset mode."""
        return {"multiAssetsMargin": False}

    def symbol_config(self, params: Params, caller: Caller) -> list[dict[str, Any]]:
        """Leverage and margin type per symbol."""
        account = self._exchange.accounts[caller.account]
        markets = [self._market(params)] if "symbol" in params else self._exchange.markets.values()
        return [
            {
                "symbol": each.instrument.wire,
                "marginType": "CROSSED",
                "isAutoAddMargin": False,
                "leverage": account.position(each.instrument.symbol).leverage,
                "maxNotionalValue": "10000000",
            }
            for each in markets
        ]

    def account_config(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """The account's settings."""
        return {
            "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": False,
            "dualSidePosition": self._exchange.accounts[caller.account].hedged,
            "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1,
        }  # fmt: skip

    def commission(self, params: Params, caller: Caller) -> dict[str, Any]:
        """Fees."""
        fees = self._exchange.accounts[caller.account].fees
        return {
            "symbol": self._market(params).instrument.wire,
            "makerCommissionRate": fixed(fees.maker_ppm, 6),
            "takerCommissionRate": fixed(fees.taker_ppm, 6),
        }

    def brackets(self, params: Params, _caller: Caller) -> Any:
        """One bracket for every size."""
        markets = [self._market(params)] if "symbol" in params else self._exchange.markets.values()
        bracket = {
            "bracket": 1, "initialLeverage": LEVERAGE_MAX, "notionalCap": 10_000_000,
            "notionalFloor": 0, "maintMarginRatio": 0.004, "cum": 0.0,
        }  # fmt: skip
        return [{"symbol": each.instrument.wire, "brackets": [bracket]} for each in markets]

    # ---- listen keys -------------------------------------------------------------------------

    def start(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """A listen key; the same one while it lives."""
        return {"listenKey": self._venue.user_data.listen_key(caller.account)}

    def keep(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """Another 60 minutes."""
        return {"listenKey": self._venue.user_data.keep(caller.account)}

    def stop(self, _params: Params, caller: Caller) -> dict[str, Any]:
        """The key is over."""
        self._venue.user_data.stop(caller.account)
        return {}

    def _market(self, params: Params) -> Market:
        found = self._exchange.by_wire.get(params.text("symbol"))
        if found is None:
            raise BinanceError(-1121, "Invalid symbol.")
        return found

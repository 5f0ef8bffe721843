import { type Field, shape } from "./shapes";

const rate = (path: string, label: string): Field => ({
  path: `margin_rates.${path}`,
  label: `Margin rate, ${label}`,
  kind: "decimal",
  unit: "1 is all of it",
});

/** What an instrument is made of. */
export const INSTRUMENT = shape({
  what: "instrument",
  name: "symbol",
  sections: [
    {
      title: "Instrument",
      fields: [
        { path: "symbol", label: "Symbol", kind: "text", fixed: true },
        { path: "digits", label: "Digits", kind: "whole", hint: "Fixed while it is traded." },
        {
          path: "calc",
          label: "Calculation",
          kind: "choice",
          choices: [
            ["forex", "Forex"],
            ["forex_no_leverage", "Forex without leverage"],
            ["cfd", "CFD"],
            ["cfd_leverage", "CFD with leverage"],
            ["cfd_index", "CFD on an index"],
            ["futures", "Futures"],
            ["stocks", "Stocks"],
            ["perpetual", "Perpetual"],
          ],
          hint: "Fixed while it is traded.",
        },
        { path: "base", label: "Base currency", kind: "text" },
        { path: "profit", label: "Profit currency", kind: "text" },
        { path: "margin", label: "Margin currency", kind: "text" },
        {
          path: "converts",
          label: "Converts money",
          kind: "truth",
          unset: "By its calculation",
        },
      ],
    },
    {
      title: "Contract and volume",
      fields: [
        { path: "contract_size", label: "Contract size", kind: "decimal", unit: "units per lot" },
        { path: "tick_size", label: "Tick size", kind: "decimal", optional: true, unit: "price" },
        { path: "tick_value", label: "Tick value", kind: "decimal", unit: "money per lot" },
        { path: "price_max", label: "Highest price", kind: "decimal", optional: true },
        { path: "volume_min", label: "Smallest volume", kind: "decimal", unit: "lots" },
        { path: "volume_max", label: "Largest volume", kind: "decimal", unit: "lots" },
        { path: "volume_step", label: "Volume step", kind: "decimal", unit: "lots" },
        {
          path: "liquidity_max",
          label: "Fill per quote",
          kind: "decimal",
          unit: "lots, 0 is any",
        },
      ],
    },
    {
      title: "Trading",
      fields: [
        {
          path: "trade_mode",
          label: "Trading",
          kind: "choice",
          choices: [
            ["full", "Full"],
            ["long_only", "Long only"],
            ["short_only", "Short only"],
            ["close_only", "Close only"],
            ["disabled", "Disabled"],
          ],
        },
        {
          path: "execution",
          label: "Execution",
          kind: "choice",
          choices: [
            ["internal", "Internal"],
            ["routed", "Routed to a venue"],
          ],
        },
        { path: "stops_level", label: "Stops at least", kind: "whole", unit: "points away" },
        { path: "collar", label: "Price collar", kind: "decimal", unit: "0.05 is 5 %, 0 is off" },
        {
          path: "quote_age_max_ms",
          label: "Oldest quote",
          kind: "whole",
          unit: "ms, 0 is any",
        },
        { path: "slippage_points", label: "Slippage", kind: "whole", unit: "points" },
        {
          path: "slippage_points_per_lot",
          label: "Slippage per lot",
          kind: "whole",
          unit: "points",
        },
      ],
    },
    {
      title: "Margin",
      fields: [
        {
          path: "initial_margin",
          label: "Initial margin",
          kind: "decimal",
          unit: "per lot, 0: by formula",
        },
        {
          path: "maintenance_margin",
          label: "Maintenance margin",
          kind: "decimal",
          unit: "per lot",
        },
        { path: "hedged_rate", label: "Hedged part", kind: "decimal", unit: "1 is all of it" },
        {
          path: "leverage_max",
          label: "Leverage of isolated orders",
          kind: "whole",
          unit: "at most",
        },
        rate("buy", "buy"),
        rate("sell", "sell"),
        rate("buy_limit", "buy limit"),
        rate("sell_limit", "sell limit"),
        rate("buy_stop", "buy stop"),
        rate("sell_stop", "sell stop"),
        rate("buy_stop_limit", "buy stop-limit"),
        rate("sell_stop_limit", "sell stop-limit"),
        {
          path: "tiers",
          label: "Tiers of margin",
          kind: "rows",
          add: "Add a tier",
          columns: [
            { path: "floor", label: "From a margin of", kind: "decimal" },
            { path: "rate", label: "Part that counts", kind: "decimal" },
          ],
        },
      ],
    },
    {
      title: "Swap",
      fields: [
        {
          path: "swap.mode",
          label: "Swap",
          kind: "choice",
          choices: [
            ["disabled", "None"],
            ["points", "Points"],
            ["base", "Base currency"],
            ["margin", "Margin currency"],
            ["deposit", "Deposit currency"],
            ["profit", "Profit currency"],
            ["interest_current", "Interest, present price"],
            ["interest_open", "Interest, open price"],
            ["reopen_close", "Reopen at the close"],
            ["reopen_bid", "Reopen at the bid"],
          ],
        },
        { path: "swap.long", label: "Swap long", kind: "decimal", signed: true, unit: "per lot" },
        { path: "swap.short", label: "Swap short", kind: "decimal", signed: true, unit: "per lot" },
        {
          path: "swap.days",
          label: "Nights from Monday",
          kind: "numbers",
          count: 7,
          hint: "The triple day has 3.",
        },
        { path: "swap.year_days", label: "Days of an interest year", kind: "whole" },
        { path: "day_end", label: "The day ends at", kind: "text", unit: "UTC, 22:00" },
      ],
    },
    {
      title: "Hours",
      fields: [
        {
          path: "sessions",
          label: "Sessions, UTC",
          kind: "rows",
          add: "Add a session",
          hint: "None is always open.",
          columns: [
            { path: "start", label: "From, Sun 22:00", kind: "text" },
            { path: "end", label: "To, Fri 22:00", kind: "text" },
          ],
        },
        {
          path: "holidays",
          label: "Holidays",
          kind: "rows",
          add: "Add a holiday",
          columns: [
            { path: "start", label: "From, 2026-12-25T00:00:00+00:00", kind: "text" },
            { path: "end", label: "To", kind: "text" },
          ],
        },
      ],
    },
  ],
});

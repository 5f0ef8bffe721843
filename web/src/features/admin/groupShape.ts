import { type Choice, type Field, shape } from "./shapes";

const COMMISSION: readonly Choice[] = [
  ["none", "None"],
  ["per_lot", "Per lot"],
  ["turnover", "Part of the turnover"],
  ["per_deal", "Per deal"],
];
const WHEN: readonly Choice[] = [
  ["both", "Opening and closing"],
  ["entry", "Opening"],
  ["exit", "Closing"],
];
const EXECUTION: readonly Choice[] = [
  ["internal", "Internal"],
  ["routed", "Routed to a venue"],
];
const limit = (path: string, label: string, kind: "decimal" | "whole", unit?: string): Field => ({
  path: `limits.${path}`,
  label,
  kind,
  unit: unit ?? "0 is off",
});

/** What a group is made of. */
export const GROUP = shape({
  what: "group",
  name: "name",
  sections: [
    {
      title: "Group",
      fields: [
        { path: "name", label: "Name", kind: "text", fixed: true },
        { path: "currency", label: "Currency", kind: "text", hint: "Fixed while it has accounts." },
        {
          path: "mode",
          label: "Positions",
          kind: "choice",
          choices: [
            ["hedging", "Hedging"],
            ["netting", "Netting"],
          ],
          hint: "Fixed while it has accounts.",
        },
        { path: "leverage", label: "Leverage", kind: "whole", unit: "1 : n" },
      ],
    },
    {
      title: "Prices and commission",
      fields: [
        { path: "markup_points", label: "Markup", kind: "whole", unit: "points, both sides" },
        {
          path: "execution",
          label: "Execution",
          kind: "choice",
          choices: EXECUTION,
          optional: "As the instrument",
        },
        { path: "commission.mode", label: "Commission", kind: "choice", choices: COMMISSION },
        {
          path: "commission.value",
          label: "Commission value",
          kind: "decimal",
          hint: "Money per lot or deal; of the turnover, a fraction (0.0001 is one basis point).",
        },
        { path: "commission.when", label: "Commission at", kind: "choice", choices: WHEN },
      ],
    },
    {
      title: "Margin and stop-out",
      fields: [
        {
          path: "level_unit",
          label: "Levels are",
          kind: "choice",
          choices: [
            ["percent", "Percent of margin"],
            ["money", "Money"],
          ],
        },
        { path: "margin_call", label: "Margin call at", kind: "decimal" },
        { path: "stop_out", label: "Stop-out at", kind: "decimal" },
        {
          path: "hedged_margin",
          label: "Hedged positions",
          kind: "choice",
          choices: [
            ["net", "Net, and the hedged part"],
            ["larger_leg", "The larger leg"],
          ],
        },
        {
          path: "margin_conversion",
          label: "Conversion of margin",
          kind: "choice",
          choices: [
            ["side", "Ask for buys, bid for sells"],
            ["mid", "Middle"],
          ],
        },
        {
          path: "isolated_stop",
          label: "Isolated positions close at",
          kind: "decimal",
          unit: "part of their margin",
        },
        {
          path: "stop_out_hedged",
          label: "Stop out fully hedged accounts with negative equity",
          kind: "switch",
        },
        {
          path: "negative_balance_protection",
          label: "Make up a negative balance after a stop-out",
          kind: "switch",
        },
      ],
    },
    {
      title: "Limits of an account",
      fields: [
        limit("order_volume_max", "Largest order", "decimal", "lots, 0 is off"),
        limit("order_value_max", "Largest order value", "decimal", "money, 0 is off"),
        limit("position_volume_max", "Largest position", "decimal", "lots, 0 is off"),
        limit("orders_max", "Pending orders", "whole"),
        limit("positions_max", "Open positions", "whole"),
        limit("orders_per_s", "Commands per second", "whole"),
      ],
    },
    {
      title: "Instruments that differ",
      fields: [
        {
          path: "overrides",
          label: "Instruments that differ",
          kind: "rows",
          add: "Add an instrument",
          columns: [
            { path: "symbol", label: "Instrument", kind: "text" },
            { path: "markup_points", label: "Markup", kind: "whole", optional: true },
            { path: "leverage", label: "Leverage", kind: "whole", optional: true },
            {
              path: "execution",
              label: "Execution",
              kind: "choice",
              choices: EXECUTION,
              optional: "As the group",
            },
            {
              path: "commission.mode",
              label: "Commission",
              kind: "choice",
              choices: COMMISSION,
              optional: "As the group",
            },
            { path: "commission.value", label: "Value", kind: "decimal" },
            { path: "commission.when", label: "At", kind: "choice", choices: WHEN },
          ],
        },
      ],
    },
  ],
});

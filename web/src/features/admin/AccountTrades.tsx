import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "@/api/client";
import { decimal } from "@/format/number";
import { dateTime } from "@/format/time";
import { Failed, Segments } from "@/kit";
import { t } from "@/text";
import { Amount } from "./Amount";
import { word } from "./words";

type View = "positions" | "orders" | "money" | "margin";

/** What is open on an account, and what happened to its money and margin lately. */
export function AccountTrades({ account }: { account: number }) {
  const [view, setView] = useState<View>("positions");
  return (
    <div className="flex min-h-0 flex-col gap-2">
      <Segments<View>
        label={t("What to show")}
        value={view}
        onChange={setView}
        choices={[
          { value: "positions", label: t("Positions") },
          { value: "orders", label: t("Orders") },
          { value: "money", label: t("Money") },
          { value: "margin", label: t("Margin events") },
        ]}
      />
      <Rows account={account} view={view} />
    </div>
  );
}

type Line = { key: number | string; left: string; middle: string; right: string; signed?: boolean };

function Rows({ account, view }: { account: number; view: View }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "account", account, view],
    queryFn: () => FETCH[view](account),
    refetchInterval: 3_000,
  });
  if (error && !data) return <Failed error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  if (data.length === 0)
    return <p className="py-2 text-fg-3 text-table">{t("There is nothing here.")}</p>;
  return (
    <ul className="flex flex-col text-table">
      {data.map((line) => (
        <li
          key={line.key}
          className="grid min-h-row grid-cols-[minmax(0,1.2fr)_minmax(0,1.9fr)_minmax(70px,1fr)] items-center gap-2 border-line-subtle border-b"
        >
          <span className="truncate font-medium">{line.left}</span>
          <span className="truncate text-fg-2" title={line.middle}>
            {line.middle}
          </span>
          <span className="text-right">
            <Amount value={line.right} signed={line.signed} />
          </span>
        </li>
      ))}
    </ul>
  );
}

const FETCH: Record<View, (account: number) => Promise<Line[]>> = {
  positions: async (account) =>
    (await ask(api.GET("/api/v1/positions", { params: { query: { account } } }))).map((each) => ({
      key: each.id,
      left: each.instrument,
      middle: `${word(each.side)} ${decimal(each.volume)} @ ${each.price}`,
      right: each.profit,
      signed: true,
    })),
  orders: async (account) =>
    (await ask(api.GET("/api/v1/orders", { params: { query: { account } } }))).map((each) => ({
      key: each.id,
      left: each.instrument,
      middle: `${word(each.side)} ${word(each.type)} ${decimal(each.volume)}`,
      right: each.price ?? "0",
    })),
  money: async (account) =>
    (
      await ask(api.GET("/api/v1/history/balance", { params: { query: { account, limit: 30 } } }))
    ).items.map((each) => ({
      key: each.id,
      left: word(each.reason),
      middle: dateTime(each.time),
      right: each.amount,
      signed: true,
    })),
  margin: async (account) =>
    (
      await ask(
        api.GET("/api/v1/accounts/{account}/margin-events", {
          params: { path: { account }, query: { limit: 30 } },
        }),
      )
    ).items.map((each) => ({
      key: each.id,
      left: word(each.level),
      middle: dateTime(each.time),
      right: each.equity,
    })),
};

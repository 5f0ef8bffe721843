import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { fixed, NONE, signed } from "@/format/number";
import { clockTime, date, millis } from "@/format/time";
import { Dialog } from "@/kit/Dialog";
import { Failed, Loading } from "@/kit/states";
import { digitsOf } from "@/live/instruments";
import { t } from "@/text";
import { average, between, receiptFor, slip } from "./receipt";
import { Name } from "./Side";
import { codeWord, reasonWord, stateWord, tifWord, typeWord } from "./words";

export type ReceiptOf = {
  account: number;
  order: number;
  instrument: string;
  side: string;
  /** A moment at which the order had been made. */
  before?: string;
};

/** How an order went: when it was sent, acknowledged, filled; what price was asked and got; why. */
export default function ReceiptDialog({
  of,
  actions,
  onClose,
}: {
  of: ReceiptOf;
  actions?: ReactNode;
  onClose: () => void;
}) {
  const { account, order, instrument, side, before } = of;
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["receipt", account, order],
    queryFn: () => receiptFor(account, order, instrument, before),
    staleTime: 0,
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Receipt of order #{order}", { order })}
      footer={actions}
    >
      <div className="mb-3">
        <Name symbol={instrument} side={data?.order?.side ?? side} />
      </div>
      {isPending ? (
        <Loading rows={5} />
      ) : error ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : (
        <Facts data={data} symbol={instrument} />
      )}
    </Dialog>
  );
}

function Facts({
  data: { order, fills, noted },
  symbol,
}: {
  data: Awaited<ReturnType<typeof receiptFor>>;
  symbol: string;
}) {
  const digits = digitsOf(symbol);
  const sent = noted?.sent ?? Number.NaN;
  const accepted = millis(order?.created);
  const filled = millis(fills[0]?.time);
  const side = order?.side ?? fills[0]?.side ?? "buy";
  const asked = order?.price
    ? Number(order.price)
    : noted
      ? side === "buy"
        ? noted.ask
        : noted.bid
      : Number.NaN;
  const got = average(fills);
  const points = slip(side, asked, got, digits);
  const code = order?.code ?? "ok";
  const rows: [string, ReactNode, ReactNode?][] = [
    [t("Sent"), moment(sent), noted ? t("from this browser") : t("not from this browser")],
    [t("Acknowledged"), moment(accepted), after(between(sent, accepted))],
    [t("Filled"), moment(filled), after(between(accepted, filled))],
    [
      t("Answer here"),
      moment(noted?.answered ?? Number.NaN),
      after(between(sent, noted?.answered ?? Number.NaN)),
    ],
    [t("Price asked"), fixed(asked, digits), order?.price ? "" : t("the market when it was sent")],
    [
      t("Price got"),
      fixed(got, digits),
      Number.isFinite(points) && Number.isFinite(got)
        ? points === 0
          ? t("as asked")
          : t(points > 0 ? "{n} points better" : "{n} points worse", {
              n: signed(points, 0),
            })
        : "",
    ],
    [t("Volume"), order ? `${order.filled} / ${order.volume}` : NONE, ""],
    [
      t("Kind"),
      order ? typeWord(order.type) : NONE,
      order && order.type !== "market" ? tifWord(order.tif) : "",
    ],
    [t("Came from"), order ? reasonWord(order.reason) : NONE, ""],
    [t("State"), order ? stateWord(order.state) : NONE, code === "ok" ? "" : codeWord(code)],
  ];
  return (
    <>
      <dl className="grid grid-cols-[auto_auto_1fr] gap-x-3 gap-y-1.5 text-table">
        {rows.map(([name, value, note]) => (
          <div key={name} className="col-span-3 grid grid-cols-subgrid">
            <dt className="text-fg-2">{name}</dt>
            <dd className="text-right font-medium">{value}</dd>
            <dd className="truncate text-fg-3">{note}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-fg-3 text-hint">
        {Number.isFinite(accepted) ? date(accepted) : ""}{" "}
        {t("Times of the server’s clock; “sent” and “answer here” are measured in this browser.")}
      </p>
    </>
  );
}

const moment = (ms: number): string =>
  Number.isFinite(ms) ? `${clockTime(ms)}.${String(Math.floor(ms) % 1000).padStart(3, "0")}` : NONE;

const after = (ms: number | null): string =>
  ms === null ? "" : t("after {ms} ms", { ms: fixed(ms, ms < 10 ? 1 : 0) });

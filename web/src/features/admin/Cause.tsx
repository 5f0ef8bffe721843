import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { api, ask, type CauseOut } from "@/api/client";
import { dateTime } from "@/format/time";
import { Failed, IconButton, Loading, Panel } from "@/kit";
import { t } from "@/text";
import { Amount } from "./Amount";
import { mark } from "./Transfers";
import { valueText, word } from "./words";

/** From a cent to its cause: the journaled command, the order and fills, everything it posted. */
export function Cause({
  transfer,
  onClose,
  onShow,
}: {
  transfer: string;
  onClose: () => void;
  onShow: (transfer: string) => void;
}) {
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "cause", transfer],
    queryFn: () =>
      ask(api.GET("/api/v1/ledger/transfers/{transfer}", { params: { path: { transfer } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Panel
      title={t("Transfer {id}", { id: transfer })}
      className="h-full"
      actions={
        <IconButton label={t("Back to the list")} onClick={onClose} className="size-6">
          <X size={14} aria-hidden />
        </IconButton>
      }
    >
      {error ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <div className="flex h-full flex-col gap-4 overflow-auto text-table">
          <div>
            <p className="font-semibold text-kpi">
              <Amount value={data.transfer.amount} signed plain /> {data.transfer.currency}
            </p>
            <p className="text-fg-2">
              {word(data.transfer.reason)} · {word(data.transfer.ledger)} ·{" "}
              {t("account {account}", { account: data.transfer.account })} ·{" "}
              {dateTime(data.transfer.time)}
            </p>
          </div>
          <Part title={t("The command, input {n} of the journal", { n: data.input_seq })}>
            <Command cause={data} />
            {data.audit !== null && (
              <Link
                to="/admin/{-$tab}"
                params={{ tab: "audit" }}
                search={{ target: String(data.transfer.account) }}
                className="text-accent"
              >
                {t("Done by staff: audit entry {n}", { n: data.audit })}
              </Link>
            )}
          </Part>
          {data.order && (
            <Part title={t("The order")}>
              <Facts value={data.order} names={ORDER} />
            </Part>
          )}
          {data.fills.length > 0 && (
            <Part title={t("Its fills")}>
              {data.fills.map((fill) => (
                <Facts key={String(fill.id)} value={fill} names={FILL} />
              ))}
            </Part>
          )}
          <Part title={t("Everything it posted")}>
            <ul>
              {data.transfers.map((each) => (
                <li key={mark(each)}>
                  <button
                    type="button"
                    aria-current={mark(each) === transfer || undefined}
                    className="grid min-h-row w-full grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto] items-center gap-2 border-line-subtle border-b px-1 text-left hover:bg-hover aria-[current]:bg-active"
                    onClick={() => onShow(mark(each))}
                  >
                    <span className="truncate">{word(each.ledger)}</span>
                    <span className="truncate text-fg-2">{word(each.reason)}</span>
                    <span>
                      <Amount value={each.amount} signed plain /> {each.currency}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </Part>
        </div>
      )}
    </Panel>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-1.5">
      <h3 className="font-semibold text-body">{title}</h3>
      {children}
    </section>
  );
}

function Command({ cause }: { cause: CauseOut }) {
  if (!cause.command)
    return (
      <p className="text-fg-2">
        {t("It is too far back to be read here. `tradeloom journal show` finds it.")}
      </p>
    );
  const { kind, ...rest } = cause.command as Record<string, unknown>;
  return (
    <>
      <p className="font-medium">{String(kind)}</p>
      <pre className="overflow-x-auto rounded-panel bg-raised p-2 font-mono text-hint">
        {Object.entries(rest)
          .map(([key, value]) => `${key.replace(/_$/, "").padEnd(14)} ${valueText(value)}`)
          .join("\n")}
      </pre>
      <p className="text-fg-3 text-hint">
        {t("As it stands in the journal: prices in points, volumes and money in units of 1e-8.")}
      </p>
    </>
  );
}

const ORDER = ["id", "instrument", "side", "type", "volume", "price", "state", "reason"];
const FILL = ["side", "entry", "volume", "price", "profit", "commission", "position"];

function Facts({ value, names }: { value: Record<string, unknown>; names: readonly string[] }) {
  return (
    <dl className="grid grid-cols-2 gap-x-4">
      {names.map((name) => (
        <div key={name} className="flex justify-between gap-2">
          <dt className="text-fg-2">{word(name)}</dt>
          <dd>{valueText(value[name])}</dd>
        </div>
      ))}
    </dl>
  );
}

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState } from "react";
import { type AccountOut, api, ask, command } from "@/api/client";
import { meQuery } from "@/api/queries";
import { decimal } from "@/format/number";
import { Button, Confirm, Failed, IconButton, Loading, Panel, Status, Tag, toast } from "@/kit";
import { t } from "@/text";
import { AccountTrades } from "./AccountTrades";
import { Amount } from "./Amount";
import { condition } from "./accounts";
import { ChangeAccount } from "./ChangeAccount";
import { MoneyDialog } from "./MoneyDialog";
import type { Operation } from "./money";
import { namesQuery } from "./queries";
import { may } from "./tabs";

/** One account whole: money, flags, what is open on it, and what may be done to it. */
export function AccountSheet({ account, onClose }: { account: number; onClose: () => void }) {
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "account", account],
    queryFn: () => ask(api.GET("/api/v1/accounts/{account}", { params: { path: { account } } })),
    refetchInterval: 2_000,
  });
  const [moving, setMoving] = useState<Operation | null>(null);
  const [changing, setChanging] = useState(false);
  const [closing, setClosing] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: ["admin"] });
  const close = async () => {
    await command((header) =>
      api.DELETE("/api/v1/accounts/{account}", { params: { header, path: { account } } }),
    );
    toast.ok(t("Account {account} is closed", { account }));
    await again();
  };
  return (
    <Panel
      title={t("Account {account}", { account })}
      actions={
        <IconButton label={t("Back to the list")} onClick={onClose} className="size-6">
          <X size={14} aria-hidden />
        </IconButton>
      }
      className="h-full"
      flush
    >
      {error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <div className="flex h-full flex-col gap-3 overflow-auto p-3">
          <Facts account={data} />
          {may(me, "money") && (
            <div className="flex flex-wrap gap-1.5">
              <Button look="primary" onClick={() => setMoving("deposit")}>
                {t("Deposit")}
              </Button>
              <Button onClick={() => setMoving("withdrawal")}>{t("Withdraw")}</Button>
              <Button onClick={() => setMoving("credit_in")}>{t("Credit")}</Button>
              <Button onClick={() => setMoving("correction")}>{t("Correct")}</Button>
            </div>
          )}
          <div className="flex flex-wrap gap-1.5">
            {may(me, "accounts:manage") && (
              <>
                <Button onClick={() => setChanging(true)}>{t("Change")}</Button>
                <Button look="danger" onClick={() => setClosing(true)}>
                  {t("Close account")}
                </Button>
              </>
            )}
            {may(me, "ledger:read") && (
              <Link
                to="/admin/{-$tab}"
                params={{ tab: "ledger" }}
                search={{ view: "transfers", account: String(account) }}
                className="inline-flex h-control items-center rounded-panel px-3 text-accent text-table hover:bg-hover"
              >
                {t("Ledger")}
              </Link>
            )}
          </div>
          <AccountTrades account={account} />
        </div>
      )}
      {data && moving && (
        <MoneyDialog
          account={data}
          operation={moving}
          onClose={() => setMoving(null)}
          onDone={again}
        />
      )}
      {data && changing && (
        <ChangeAccount account={data} onClose={() => setChanging(false)} onDone={again} />
      )}
      <Confirm
        open={closing}
        onClose={() => setClosing(false)}
        onConfirm={close}
        title={t("Close account {account}?", { account })}
        action={t("Close account")}
        type={String(account)}
      >
        {t("It must have no positions, orders, balance or credit. It cannot be opened again.")}
      </Confirm>
    </Panel>
  );
}

function Facts({ account }: { account: AccountOut }) {
  const { tone, text } = condition(account);
  const { data: names } = useQuery(namesQuery);
  const owner = account.owner === null ? t("nobody") : (names?.get(account.owner) ?? account.owner);
  const money: [string, string | null, boolean?][] = [
    [t("Balance"), account.balance],
    [t("Credit"), account.credit],
    [t("Equity"), account.equity],
    [t("Margin"), account.margin],
    [t("Free margin"), account.free_margin],
    [t("Realised"), account.realised, true],
    [t("Fees"), account.fees, true],
    [t("Funding"), account.funding, true],
  ];
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 text-table">
        <Status tone={tone}>{text}</Status>
        <Tag>{account.group}</Tag>
        <Tag>{t("leverage {n}", { n: account.leverage })}</Tag>
        <Tag>{account.currency}</Tag>
        <span className="text-fg-2">
          {t("Owner")} <span className="text-fg">{owner}</span>
        </span>
      </div>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-table">
        {money.map(([name, value, signed]) => (
          <div key={name} className="flex justify-between gap-2">
            <dt className="text-fg-2">{name}</dt>
            <dd className="font-medium">
              <Amount value={value} signed={signed} />
            </dd>
          </div>
        ))}
        <div className="flex justify-between gap-2">
          <dt className="text-fg-2">{t("Margin level")}</dt>
          <dd className="font-medium">
            {account.level === null ? decimal(null) : `${decimal(account.level)} %`}
          </dd>
        </div>
      </dl>
    </>
  );
}

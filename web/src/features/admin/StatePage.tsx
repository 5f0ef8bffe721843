import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, command, type TradingStateOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { groupsQuery, instrumentsQuery } from "@/api/queries";
import {
  Button,
  type Column,
  Empty,
  Field,
  Input,
  Panel,
  Segments,
  Status,
  TextField,
  type Tone,
  toast,
} from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";
import { ExportCsv } from "./ExportCsv";
import { KillSwitch } from "./KillSwitch";
import { Listing } from "./Listing";
import { word } from "./words";

type Scope = TradingStateOut["scope"];
type State = TradingStateOut["state"];
const TONES: Record<State, Tone> = { active: "ok", reducing: "warning", halted: "critical" };

export const statesQuery = {
  queryKey: ["admin", "states"],
  queryFn: () => ask(api.GET("/api/v1/trading-states")),
  refetchInterval: 2_000,
};

/** /admin/state: what may be traded now, from everything down to one account. */
export default function StatePage() {
  const { data, error, isPending, refetch } = useQuery(statesQuery);
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: statesQuery.queryKey });
  const whole = data?.find((row) => row.scope === "shard")?.state;
  const parts = (data ?? []).filter((row) => row.scope !== "shard");
  const columns: Column<TradingStateOut>[] = [
    ...COLUMNS,
    {
      id: "do",
      header: "",
      align: "end",
      width: "110px",
      cell: (row) => (
        <Button small onClick={() => void set(row.scope, row.target, "active", "").then(again)}>
          {t("Activate")}
        </Button>
      ),
    },
  ];
  return (
    <div className="grid h-full min-h-0 grid-cols-1 gap-1.5 overflow-auto lg:grid-cols-[minmax(320px,400px)_minmax(0,1fr)]">
      <div className="flex flex-col gap-1.5">
        <KillSwitch state={whole} onDone={() => void again()} />
        <Panel title={t("Set a state")}>
          <SetState onDone={() => void again()} />
        </Panel>
      </div>
      <Listing
        title={t("What is not active")}
        actions={<ExportCsv path="/trading-states" />}
        rows={parts}
        columns={columns}
        rowKey={(row) => `${row.scope}|${row.target}`}
        error={error}
        loading={isPending}
        again={() => void refetch()}
        nothing={
          <Empty title={t("Everything else is active")}>
            {t("Groups, instruments and accounts that are halted or only reduce appear here.")}
          </Empty>
        }
        className="min-h-64"
      />
    </div>
  );
}

const COLUMNS: readonly Column<TradingStateOut>[] = [
  { id: "scope", header: t("What"), width: "110px", cell: (row) => word(row.scope) },
  {
    id: "target",
    header: t("Which"),
    width: "minmax(110px, 1fr)",
    cell: (row) => <span className="font-medium">{row.target}</span>,
    sort: (row) => row.target,
  },
  {
    id: "state",
    header: t("State"),
    width: "140px",
    cell: (row) => <Status tone={TONES[row.state]}>{word(row.state)}</Status>,
    sort: (row) => row.state,
  },
];

async function set(scope: Scope, target: string, state: State, reason: string): Promise<void> {
  try {
    await command((header) =>
      api.PUT("/api/v1/trading-states", {
        params: { header },
        body: { scope, target, state, reason },
      }),
    );
    toast.ok(`${word(scope)} ${target}: ${word(state)}`);
  } catch (thrown) {
    toast.problem(thrown);
    throw problemOf(thrown);
  }
}

function SetState({ onDone }: { onDone: () => void }) {
  const { data: groups } = useQuery(groupsQuery);
  const { data: instruments } = useQuery(instrumentsQuery);
  const [scope, setScope] = useState<Scope>("instrument");
  const [target, setTarget] = useState("");
  const [state, setState] = useState<State>("reducing");
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const known =
    scope === "group"
      ? groups?.map((each) => each.name)
      : scope === "instrument"
        ? instruments?.map((each) => each.symbol)
        : undefined;
  const chosen = known ? (known.includes(target) ? target : (known[0] ?? "")) : target.trim();
  const fault =
    scope === "account" && !/^\d{1,19}$/.test(chosen) ? t("The account's number.") : null;
  const short = reason.trim().length < 3;
  const go = async () => {
    setTried(true);
    if (fault || short) return;
    setBusy(true);
    try {
      await set(scope, chosen, state, reason.trim());
      setReason("");
      setTried(false);
      onDone();
    } catch {
      // Said by `set`.
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      noValidate
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void go();
      }}
    >
      <Segments<Scope>
        label={t("What")}
        value={scope}
        onChange={(next) => {
          setScope(next);
          setTarget("");
        }}
        choices={[
          { value: "instrument", label: t("Instrument") },
          { value: "group", label: t("Group") },
          { value: "account", label: t("Account") },
        ]}
      />
      <Field label={t("Which")} error={tried ? fault : null}>
        {(wiring) =>
          known ? (
            <Choose
              {...wiring}
              value={chosen}
              onChange={setTarget}
              choices={known.map((each) => ({ value: each, label: each }))}
            />
          ) : (
            <Input
              {...wiring}
              inputMode="numeric"
              value={target}
              onChange={(event) => setTarget(event.target.value)}
            />
          )
        }
      </Field>
      <Segments<State>
        label={t("State")}
        value={state}
        onChange={setState}
        choices={[
          { value: "active", label: t("Active") },
          { value: "reducing", label: t("Reducing only") },
          { value: "halted", label: t("Halted") },
        ]}
      />
      <TextField
        label={t("Reason")}
        maxLength={200}
        error={tried && short ? t("Say why, in a few words.") : null}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      <div>
        <Button type="submit" look="primary" busy={busy}>
          {t("Set the state")}
        </Button>
      </div>
    </form>
  );
}

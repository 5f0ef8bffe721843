import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { type Column, cx, Dialog, Empty, Panel } from "@/kit";
import { Button } from "@/kit/Button";
import { t } from "@/text";
import { DefinitionEditor } from "./DefinitionEditor";
import { useFilters } from "./filters";
import { FilterText } from "./inputs";
import { Listing } from "./Listing";
import type { Body, Shape } from "./shapes";

/** A list of definitions beside the editor of the chosen one. */
export function Definitions<R extends object>({
  shape,
  title,
  rows,
  columns,
  error,
  loading,
  again,
  actions,
  queryKey,
}: {
  shape: Shape;
  title: string;
  rows: readonly R[];
  columns: readonly Column<R>[];
  error: unknown;
  loading: boolean;
  again: () => void;
  actions: ReactNode;
  /** The query the rows come from. */
  queryKey: readonly string[];
}) {
  const client = useQueryClient();
  const { filters, set } = useFilters(["q", "name", "copy", "view"] as const);
  const [dirty, setDirty] = useState(false);
  /** Where to go once what was changed may be dropped. */
  const [leaving, setLeaving] = useState<Parameters<typeof set>[0] | null>(null);
  const nameOf = (row: R) => String((row as Body)[shape.name]);
  const wanted = filters.q?.toLowerCase() ?? "";
  const shown = useMemo(
    () => rows.filter((row) => JSON.stringify(row).toLowerCase().includes(wanted)),
    [rows, wanted],
  );
  const name = filters.name;
  const chosen = rows.find((row) => nameOf(row) === name);
  const model = rows.find((row) => nameOf(row) === filters.copy);
  const open = chosen ?? model;
  const go = (next: Parameters<typeof set>[0]) => {
    if (dirty) setLeaving(next);
    else set(next);
  };
  const applied = () => {
    setDirty(false);
    void client.invalidateQueries({ queryKey });
    void client.invalidateQueries({ queryKey: ["admin"] });
  };
  return (
    <div
      className={cx(
        "grid h-full min-h-0 gap-1.5",
        open && "lg:grid-cols-[minmax(260px,0.8fr)_minmax(0,2fr)]",
      )}
    >
      <div className={cx("min-h-0 min-w-0", open && "hidden lg:block")}>
        <Listing
          title={title}
          actions={actions}
          toolbar={
            <FilterText
              search
              label={t("Find")}
              value={filters.q}
              onChange={(q) => set({ q })}
              width="w-full"
            />
          }
          rows={shown}
          columns={columns}
          rowKey={nameOf}
          error={error}
          loading={loading}
          again={again}
          filtered={wanted !== ""}
          onClear={() => set({ q: "" })}
          nothing={<Empty title={t("Nothing is defined yet")} />}
          selected={name ?? null}
          onSelect={(row) => go({ name: nameOf(row), copy: "", view: "" })}
        />
      </div>
      {open && (
        <DefinitionEditor
          key={`${name ?? ""}|${filters.copy ?? ""}|${chosen ? JSON.stringify(chosen) : ""}`}
          shape={shape}
          standing={chosen as Body | undefined}
          model={model as Body | undefined}
          view={filters.view === "history" ? "history" : "form"}
          onView={(view) => set({ view: view === "history" ? view : "" })}
          onDirty={setDirty}
          onCopy={() => go({ copy: name ?? "", name: "", view: "" })}
          onClose={() => go({ name: "", copy: "", view: "" })}
          onDone={(made, view) => {
            applied();
            set({ name: made, copy: "", view: view === "history" ? view : "" });
          }}
        />
      )}
      <Dialog
        open={leaving !== null}
        onClose={() => setLeaving(null)}
        title={t("Drop what you changed?")}
        description={t("It is not applied yet.")}
        footer={
          <>
            <Button onClick={() => setLeaving(null)}>{t("Go on editing")}</Button>
            <Button
              look="danger"
              onClick={() => {
                setDirty(false);
                if (leaving) set(leaving);
                setLeaving(null);
              }}
            >
              {t("Drop it")}
            </Button>
          </>
        }
      />
      {name && !chosen && !loading && !model && (
        <Panel title={name}>
          <Empty
            title={t("There is none of this name")}
            action={<Button onClick={() => go({ name: "" })}>{t("Back to the list")}</Button>}
          />
        </Panel>
      )}
    </div>
  );
}

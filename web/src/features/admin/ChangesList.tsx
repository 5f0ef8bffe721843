import { Undo2 } from "lucide-react";
import { useState } from "react";
import { api, ask, type ChangeOut } from "@/api/client";
import { dateTime } from "@/format/time";
import { Button, Empty, Failed, Loading, Tag } from "@/kit";
import { t } from "@/text";
import { Diff } from "./Diff";
import { revert } from "./definitionCalls";
import { useListing } from "./listing";
import { useNames } from "./names";
import { WithReason } from "./ReviewChange";

/** What was changed, by whom, why; each change can be taken back. */
export function ChangesList({
  what,
  name,
  onReverted,
}: {
  what: "group" | "instrument";
  name: string;
  onReverted: () => void;
}) {
  const person = useNames();
  const [back, setBack] = useState<ChangeOut | null>(null);
  const list = useListing(["changes", what, name], (cursor) =>
    ask(api.GET("/api/v1/changes", { params: { query: { what, name, cursor, limit: 50 } } })),
  );
  if (list.error && list.rows.length === 0)
    return <Failed error={list.error} onRetry={list.again} />;
  if (list.loading) return <Loading />;
  if (list.rows.length === 0)
    return (
      <Empty title={t("Never changed")}>
        {t("Changes appear here with who made them and why, and can be taken back.")}
      </Empty>
    );
  return (
    <ol className="flex flex-col gap-4 p-3">
      {list.rows.map((change) => (
        <li key={change.id} className="flex flex-col gap-1.5 border-line-subtle border-b pb-4">
          <div className="flex flex-wrap items-center gap-2 text-table">
            <span className="font-medium">{dateTime(change.time)}</span>
            <span className="text-fg-2">{person(change.actor)}</span>
            {change.new && <Tag tone="info">{t("new")}</Tag>}
            {change.reverts !== null && <Tag>{t("takes back {n}", { n: change.reverts })}</Tag>}
            {change.approval !== null && <Tag tone="ok">{t("two persons")}</Tag>}
            <Button
              small
              className="ml-auto"
              disabled={change.new}
              title={change.new ? t("What was new cannot be taken away; disable it.") : undefined}
              icon={<Undo2 size={12} aria-hidden />}
              onClick={() => setBack(change)}
            >
              {t("Take back")}
            </Button>
          </div>
          <p className="text-body">{change.reason}</p>
          {change.new ? null : <Diff changes={change.changes} past />}
        </li>
      ))}
      {back && (
        <WithReason
          title={t("Take back change {n}", { n: back.id })}
          action={t("Take back")}
          second={false}
          onClose={() => setBack(null)}
          onDone={onReverted}
          send={(more, key) => revert(back.id, more, key)}
        >
          <p className="text-body text-fg-2">
            {t("{name} becomes as it was before that change. What changed since is overwritten.", {
              name,
            })}
          </p>
          <Diff changes={back.changes.map((each) => ({ ...each, old: each.new, new: each.old }))} />
        </WithReason>
      )}
    </ol>
  );
}

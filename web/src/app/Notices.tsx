import { clockTime } from "@/format/time";
import { useFreshness } from "@/live/freshness";
import { useLink } from "@/live/socket";
import { useTrading } from "@/live/trading";
import { t } from "@/text";

/** The bar over everything when prices stop or the account is in danger. Announced once, politely. */
export function Notices() {
  const { state, last } = useFreshness();
  const phase = useLink((s) => s.phase);
  const level = useTrading((s) => s.view?.margin_level);
  const lines: { tone: string; text: string }[] = [];
  if (state !== "live" && last > 0 && phase !== "off")
    lines.push({
      tone: "bg-raised text-warning border-warning",
      text:
        phase === "live"
          ? t("No new prices since {time}. The market may be closed, or the feed is silent.", {
              time: clockTime(last),
            })
          : t("Connection lost. Prices are from {time}. Reconnecting.", { time: clockTime(last) }),
    });
  if (level === "margin_call")
    lines.push({
      tone: "bg-raised text-warning border-warning",
      text: t("◆ Margin call: deposit, or close positions before the stop-out does."),
    });
  if (level === "stop_out")
    lines.push({
      tone: "bg-raised text-critical border-critical",
      text: t("■ Stop-out: positions are being closed."),
    });
  if (!lines.length) return null;
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 top-11 z-30 flex flex-col items-center gap-1 px-2"
    >
      {lines.map((line) => (
        <p
          key={line.text}
          className={`rounded-panel border px-3 py-1 text-table shadow-float ${line.tone}`}
        >
          {line.text}
        </p>
      ))}
    </div>
  );
}

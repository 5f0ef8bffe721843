import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { versionQuery } from "@/api/queries";
import { utcTime } from "@/format/time";
import { pace } from "@/live/frame";
import { useFreshness } from "@/live/freshness";
import { serverNow, useLink } from "@/live/socket";
import { t } from "@/text";

const PHASES = {
  off: "Signed out",
  connecting: "Connecting",
  waiting: "Reconnecting",
  live: "Connected",
} as const;

/** Connection, round trip, painted frames, the server's clock, the version. */
export function StatusBar() {
  const { phase, rtt } = useLink();
  const fresh = useFreshness((s) => s.state);
  const { data: version } = useQuery(versionQuery);
  const clock = useRef<HTMLSpanElement>(null);
  const frames = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const tick = () => {
      if (clock.current) clock.current.textContent = `${utcTime(serverNow())} UTC`;
      if (frames.current) frames.current.textContent = `${pace.painted} ${t("frames/s")}`;
    };
    tick();
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, []);
  const good = phase === "live" && fresh === "live";
  const [shape, tone] = good
    ? ["●", "text-ok"]
    : phase === "live"
      ? ["◆", "text-warning"]
      : ["■", "text-critical"];
  return (
    <footer className="col-span-full hidden h-6 items-center gap-4 border-line-subtle border-t bg-surface px-3 text-fg-2 text-hint md:flex">
      <span className="inline-flex items-center gap-1.5">
        <span aria-hidden className={`text-[9px] ${tone}`}>
          {shape}
        </span>
        <span>
          {t(PHASES[phase])}
          {phase === "live" && !good ? `, ${t("prices stale")}` : ""}
        </span>
      </span>
      {Number.isFinite(rtt) && <span>RTT {rtt < 10 ? rtt.toFixed(1) : rtt.toFixed(0)} ms</span>}
      <span ref={frames} />
      <span className="ml-auto">
        {t("Server")} <span ref={clock} />
      </span>
      <span>v{version?.version ?? ""}</span>
    </footer>
  );
}

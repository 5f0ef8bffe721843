import { useVirtualizer } from "@tanstack/react-virtual";
import { Star } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useSession } from "@/api/session";
import { useLook } from "@/app/look";
import { usePreference } from "@/app/preferences";
import { cx } from "@/kit/cx";
import { rowHeight } from "@/kit/DataTable";
import { Input } from "@/kit/Field";
import { Empty, Failed, Loading } from "@/kit/states";
import { useFreshness } from "@/live/freshness";
import { loadInstruments, useInstruments } from "@/live/instruments";
import { quotes } from "@/live/quotes";
import { t } from "@/text";
import { useView } from "../view";
import { change } from "./daily";
import { Row } from "./Row";

type SortKey = "symbol" | "change" | "spread";
type Sort = { key: SortKey; down: boolean } | null;
const COLUMNS = "grid-cols-[24px_minmax(66px,1.2fr)_minmax(58px,1fr)_minmax(58px,1fr)_32px_46px]";
const NONE: readonly string[] = [];
/** A list sorted by something live is put in order again this often, not at every tick. */
const RESORT_MS = 2000;

/** Every instrument: live, sorted, searched, favourites first. Rows in sight only; prices are text nodes. */
export function Watchlist({ onChosen }: { onChosen?: () => void }) {
  const list = useInstruments((s) => s.list);
  const { symbol: chosen, show } = useView();
  const [favourites, setFavourites] = usePreference<readonly string[]>(
    "watchlist.favourites",
    NONE,
  );
  const [search, setSearch] = useState("");
  const [sort, setSort] = useState<Sort>(null);
  const [turn, setTurn] = useState(0);
  const [fault, setFault] = useState<unknown>(null);
  const box = useRef<HTMLDivElement>(null);
  const expired = useSession((s) => s.expired);
  const stale = useFreshness((s) => s.state !== "live");
  useLook((s) => s.density);
  const words = useDeferredValue(search.trim().toUpperCase());

  useEffect(() => {
    if (list.length || expired) return;
    setFault(null);
    loadInstruments().catch(setFault);
  }, [list.length, expired]);
  useEffect(() => {
    if (!sort || sort.key === "symbol") return;
    const timer = setInterval(() => setTurn((n) => n + 1), RESORT_MS);
    return () => clearInterval(timer);
  }, [sort]);

  const symbols = useMemo(() => {
    void turn;
    const starred = new Set(favourites);
    const found = list
      .filter(
        (each) =>
          !words || `${each.symbol} ${each.base} ${each.profit}`.toUpperCase().includes(words),
      )
      .map((each) => each.symbol);
    if (sort) {
      const sign = sort.down ? -1 : 1;
      const value = (symbol: string) => {
        const i = quotes.index(symbol);
        if (sort.key === "change") return change(i) || 0;
        return (
          ((quotes.ask[i] as number) - (quotes.bid[i] as number)) / ((quotes.bid[i] as number) || 1)
        );
      };
      found.sort(
        (a, b) => sign * (sort.key === "symbol" ? a.localeCompare(b) : value(a) - value(b)),
      );
    }
    return [
      ...found.filter((each) => starred.has(each)),
      ...found.filter((each) => !starred.has(each)),
    ];
  }, [list, words, sort, favourites, turn]);

  const height = rowHeight();
  const virtual = useVirtualizer({
    count: symbols.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 6,
  });
  useEffect(() => {
    void height;
    virtual.measure();
  }, [virtual, height]);

  const choose = (symbol: string) => {
    show({ symbol });
    onChosen?.();
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (event.key === "Enter" && event.currentTarget instanceof HTMLInputElement && symbols[0])
      choose(symbols[0]);
    if (!step || (event.currentTarget instanceof HTMLInputElement && event.key.length === 1))
      return;
    event.preventDefault();
    const at = symbols.indexOf(chosen);
    const next = symbols[Math.max(0, Math.min(symbols.length - 1, at + step))];
    if (next) {
      show({ symbol: next });
      virtual.scrollToIndex(symbols.indexOf(next));
    }
  };
  const star = (symbol: string) =>
    setFavourites((now) =>
      now.includes(symbol) ? now.filter((each) => each !== symbol) : [...now, symbol],
    );
  const head = (key: SortKey, label: string, end = true) => (
    <div
      role="columnheader"
      aria-sort={sort?.key === key ? (sort.down ? "descending" : "ascending") : undefined}
      className={cx("px-1", end && "text-right")}
    >
      <button
        type="button"
        className="h-6 rounded-inner hover:text-fg"
        onClick={() =>
          setSort((now) =>
            now?.key !== key ? { key, down: end } : now.down === end ? { key, down: !end } : null,
          )
        }
      >
        {label}
        {sort?.key === key && <span aria-hidden>{sort.down ? " ↓" : " ↑"}</span>}
      </button>
    </div>
  );

  if (fault !== null && !list.length)
    return (
      <Failed
        error={fault}
        onRetry={() => {
          setFault(null);
          loadInstruments().catch(setFault);
        }}
      />
    );
  if (!list.length) return <Loading rows={12} />;
  return (
    <div className={cx("flex h-full min-h-0 flex-col", stale && "[&_[role=cell]]:opacity-60")}>
      <div className="p-1.5">
        <Input
          type="search"
          aria-label={t("Filter symbols")}
          placeholder={t("Filter symbols")}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={keys}
        />
      </div>
      <div
        ref={box}
        role="table"
        aria-label={t("Watchlist")}
        aria-rowcount={symbols.length + 1}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: walked with the arrow keys
        tabIndex={0}
        onKeyDown={keys}
        className="min-h-0 flex-1 overflow-y-auto overflow-x-hidden text-table outline-offset-[-2px]"
      >
        <div
          role="row"
          className={cx(
            "sticky top-0 z-10 grid h-row items-center border-line-subtle border-b bg-surface px-1 text-fg-2 text-hint",
            COLUMNS,
          )}
        >
          <span role="columnheader" className="sr-only">
            {t("Favourite")}
          </span>
          <span aria-hidden />
          {head("symbol", t("Symbol"), false)}
          <div role="columnheader" className="px-1 text-right">
            {t("Bid")}
          </div>
          <div role="columnheader" className="px-1 text-right">
            {t("Ask")}
          </div>
          {head("spread", t("Spr"))}
          {head("change", t("Chg %"))}
        </div>
        {symbols.length === 0 && (
          <Empty title={t("No symbol matches")}>
            {t("The filter asks for “{text}”.", { text: search })}
          </Empty>
        )}
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const symbol = symbols[item.index] as string;
            return (
              <Row
                key={symbol}
                symbol={symbol}
                index={item.index}
                start={item.start}
                columns={COLUMNS}
                chosen={symbol === chosen}
                favourite={favourites.includes(symbol)}
                onChoose={choose}
                onStar={star}
                star={Star}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

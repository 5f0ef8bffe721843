/**
 * The same rows done the plain React way, as the baseline: state per message, one `<table>`, every row in
 * the document, formatting by Intl. Not shipped.
 */
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

type Quote = { symbol: string; bid: string; ask: string; time: string };
type Known = Quote & { first: number };

function Table({ token }: { token: string }) {
  const [rows, setRows] = useState<Record<string, Known>>({});
  const [sort] = useState("symbol");
  useEffect(() => {
    const line = new WebSocket(`ws://${location.host}/ws`, "tradeloom.json");
    line.onopen = () => line.send(JSON.stringify({ op: "authenticate", token }));
    line.onmessage = (message) => {
      const said = JSON.parse(message.data);
      if (said.type === "authenticated")
        line.send(JSON.stringify({ op: "subscribe", channel: "quotes", interval_ms: 33 }));
      if (said.type !== "quotes") return;
      setRows((now) => {
        const next = { ...now };
        for (const quote of said.quotes as Quote[])
          next[quote.symbol] = { ...quote, first: next[quote.symbol]?.first ?? Number(quote.bid) };
        return next;
      });
    };
    return () => line.close();
  }, [token]);
  const price = (text: string) =>
    Number(text).toLocaleString(undefined, { minimumFractionDigits: 5 });
  const shown = Object.values(rows).sort((a, b) =>
    sort === "symbol" ? a.symbol.localeCompare(b.symbol) : 0,
  );
  return (
    <table data-rows={shown.length}>
      <tbody>
        {shown.map((row) => (
          <tr key={row.symbol}>
            <td>{row.symbol}</td>
            <td>{price(row.bid)}</td>
            <td>{price(row.ask)}</td>
            <td>{((Number(row.ask) - Number(row.bid)) * 1e4).toFixed(1)}</td>
            <td>{((Number(row.bid) / row.first - 1) * 100).toFixed(2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const session = JSON.parse(localStorage.getItem("tradeloom.session") ?? "{}") as { access: string };
createRoot(document.getElementById("root") as HTMLElement).render(<Table token={session.access} />);

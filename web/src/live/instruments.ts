/** Conditions of every instrument, by symbol: loaded once after sign-in, for code that is no React. */
import { create } from "zustand";
import type { InstrumentOut } from "@/api/client";
import { instrumentsQuery, queries } from "@/api/queries";

type State = { bySymbol: ReadonlyMap<string, InstrumentOut>; list: readonly InstrumentOut[] };

export const useInstruments = create<State>(() => ({ bySymbol: new Map(), list: [] }));

/** Load (or refresh) the instruments into the store. */
export async function loadInstruments(): Promise<void> {
  const list = await queries.fetchQuery(instrumentsQuery);
  useInstruments.setState({ list, bySymbol: new Map(list.map((each) => [each.symbol, each])) });
}

/** The instrument of a symbol, if it is loaded. */
export const instrumentOf = (symbol: string): InstrumentOut | undefined =>
  useInstruments.getState().bySymbol.get(symbol);

/** Decimals of a symbol's prices. */
export const digitsOf = (symbol: string): number => instrumentOf(symbol)?.digits ?? 5;

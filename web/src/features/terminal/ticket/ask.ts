/** What another panel asks the ticket to fill in: a pending order at a price of the chart. */
import { create } from "zustand";
import type { OrderType, Side } from "./draft";

export type Asked = { side: Side; type: OrderType; price: string; at: number };
export const useAsked = create<{ asked: Asked | null }>(() => ({ asked: null }));

/** Fill the ticket; it takes what is asked when it is on the screen. */
export const askTicket = (side: Side, type: OrderType, price: string): void =>
  useAsked.setState({ asked: { side, type, price, at: Date.now() } });

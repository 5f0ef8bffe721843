/**
 * The one WebSocket of this tab: connects, says who it is, resumes every channel where it stopped.
 *
 * Re-connects by itself with exponential back-off and jitter. Channels of an account resume from the
 * last event they saw; when that is too far back (TOO_OLD) they are told to read a new snapshot.
 * A silent line is pinged; no answer in time counts as dropped. See docs/guide/api.md for the words.
 */
import { create } from "zustand";
import { problemOf } from "@/api/problem";
import { accessToken, useSession } from "@/api/session";
import { quotes } from "./quotes";

export type LiveEvent = {
  seq: number;
  kind: string;
  event: Record<string, unknown> & { ts?: string };
};
export type Listener = {
  event: (message: LiveEvent) => void;
  /** Events were lost: read the present state. Called at the first subscription too. */
  anew: () => void;
};
type Channel = {
  channel: string;
  account: number;
  listener: Listener;
  seq: number | null;
  live: boolean;
};
type Said = Record<string, unknown> & { type: string };

const PROTOCOL = "tradeloom.json";
const FIRST_WAIT_MS = 300;
const MAX_WAIT_MS = 15_000;
const PING_EVERY_MS = 5_000;
const PONG_WITHIN_MS = 6_000;
const QUOTES_MS = 33;
/** How often one line says who it is again because of an account it does not know yet. */
const INTRODUCTIONS_MAX = 60;

export type Phase = "off" | "connecting" | "live" | "waiting";

/** What the status bar shows. `rtt` in ms; `skew`: server clock minus ours, ms. */
export const useLink = create<{
  phase: Phase;
  rtt: number;
  skew: number;
  since: number;
  tries: number;
}>(() => ({ phase: "off", rtt: Number.NaN, skew: 0, since: Date.now(), tries: 0 }));

class Socket {
  private line: WebSocket | null = null;
  private wanted = false;
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pinger: ReturnType<typeof setInterval> | undefined;
  private pingSent = 0;
  private heard = 0;
  private readonly channels = new Set<Channel>();
  private quotesWanted = 0;
  private token = "";
  private introductions = 0;
  private viewer = 0;

  /** Be connected from now on. */
  open(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.tries = 0;
    void this.connect();
  }

  /** Be connected no longer. */
  close(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.line?.close(1000);
    this.drop("off");
  }

  /** Quotes of all symbols are wanted by somebody; returns how to end it. */
  wantQuotes(): () => void {
    if (++this.quotesWanted === 1) this.subscribeQuotes();
    return () => {
      if (--this.quotesWanted === 0) this.say({ op: "unsubscribe", channel: "quotes" });
    };
  }

  /** Show the prices this account would be filled at (0: the raw ones). */
  viewAs(account: number): void {
    if (this.viewer === account) return;
    if (this.quotesWanted) this.say({ op: "unsubscribe", channel: "quotes" });
    this.viewer = account;
    if (this.quotesWanted) this.subscribeQuotes();
  }

  /** Follow a channel of an account (0: a staff channel). Returns how to end it. */
  follow(channel: string, account: number, listener: Listener): () => void {
    const made: Channel = { channel, account, listener, seq: null, live: false };
    this.channels.add(made);
    if (useLink.getState().phase === "live") this.subscribe(made);
    return () => {
      this.channels.delete(made);
      const others = [...this.channels].some((c) => c.channel === channel && c.account === account);
      if (!others) this.say({ op: "unsubscribe", channel, ...(account ? { account } : {}) });
    };
  }

  private async connect(): Promise<void> {
    if (!this.wanted || this.line) return;
    useLink.setState({ phase: "connecting" });
    let token: string;
    try {
      token = await accessToken();
    } catch (thrown) {
      if (problemOf(thrown).status === 401) this.drop("off", false);
      else this.retry();
      return;
    }
    if (!this.wanted || this.line) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const line = new WebSocket(`${scheme}://${location.host}/ws`, PROTOCOL);
    this.line = line;
    this.token = token;
    this.heard = performance.now();
    line.onopen = () => line.send(JSON.stringify({ op: "authenticate", token }));
    line.onmessage = (message) => this.hear(message.data as string);
    line.onclose = (event) => {
      if (this.line !== line) return;
      if (event.code === 4401) void accessToken(token).catch(() => undefined);
      this.retry();
    };
    this.pinger = setInterval(() => this.beat(), PING_EVERY_MS);
  }

  private retry(): void {
    this.drop("waiting", false);
    if (!this.wanted) return;
    const most = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries++);
    useLink.setState({ tries: this.tries });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), most * (0.5 + Math.random() / 2));
  }

  private drop(phase: Phase, forget = true): void {
    clearInterval(this.pinger);
    const line = this.line;
    this.line = null;
    if (line && line.readyState < WebSocket.CLOSING) line.close();
    for (const each of this.channels) {
      each.live = false;
      if (forget) each.seq = null;
    }
    if (useLink.getState().phase !== phase)
      useLink.setState({ phase, since: Date.now(), rtt: Number.NaN });
  }

  private beat(): void {
    const now = performance.now();
    if (
      this.pingSent &&
      now - this.pingSent > PONG_WITHIN_MS &&
      now - this.heard > PONG_WITHIN_MS
    ) {
      this.pingSent = 0;
      this.retry();
      return;
    }
    void this.renew();
    if (!this.pingSent) {
      this.pingSent = now;
      this.say({ op: "ping", id: "p" });
    }
  }

  /** Tell the server the newest token before the old one ends. */
  private async renew(): Promise<void> {
    try {
      const token = await accessToken();
      if (token === this.token || useLink.getState().phase !== "live") return;
      this.token = token;
      this.say({ op: "authenticate", token });
    } catch {
      // Signed out or unreachable: the session's own dialog or the next beat deals with it.
    }
  }

  private say(words: Record<string, unknown>): void {
    if (this.line?.readyState === WebSocket.OPEN) this.line.send(JSON.stringify(words));
  }

  private subscribeQuotes(): void {
    if (useLink.getState().phase !== "live") return;
    const viewer = this.viewer ? { account: this.viewer } : {};
    this.say({
      op: "subscribe",
      channel: "quotes",
      interval_ms: QUOTES_MS,
      id: `quotes:${this.viewer}`,
      ...viewer,
    });
  }

  private subscribe(each: Channel): void {
    const { channel, account, seq } = each;
    this.say({
      op: "subscribe",
      channel,
      id: `${channel}:${account}`,
      ...(account ? { account } : {}),
      ...(seq === null ? {} : { resume_from: seq }),
    });
  }

  private of(said: Said): Channel[] {
    const account = Number(said.account ?? 0);
    return [...this.channels].filter((c) => c.channel === said.channel && c.account === account);
  }

  private hear(text: string): void {
    this.heard = performance.now();
    const said = JSON.parse(text) as Said;
    switch (said.type) {
      case "quotes":
        for (const q of said.quotes as { symbol: string; bid: string; ask: string; time: string }[])
          quotes.take(q.symbol, +q.bid, +q.ask, Date.parse(q.time));
        return;
      case "event": {
        const message = said as unknown as LiveEvent & { channel: string };
        const account = Number((message.event as { account?: number }).account ?? 0);
        for (const each of this.channels) {
          if (each.channel !== message.channel) continue;
          if (each.account !== 0 && each.account !== account) continue;
          if (each.seq !== null && message.seq <= each.seq) continue; // heard before
          each.seq = message.seq;
          each.listener.event(message);
        }
        return;
      }
      case "authenticated":
        if (useLink.getState().phase === "live") return; // a fresh token on a living line
        this.tries = 0;
        useLink.setState({ phase: "live", since: Date.now(), tries: 0 });
        this.introductions = INTRODUCTIONS_MAX;
        if (this.quotesWanted) this.subscribeQuotes();
        for (const each of this.channels) this.subscribe(each);
        this.beat();
        return;
      case "subscribed":
        for (const each of this.of(said)) {
          each.live = true;
          if (each.seq === null) {
            each.seq = Number(said.seq ?? 0);
            each.listener.anew();
          }
        }
        return;
      case "pong": {
        const rtt = performance.now() - this.pingSent;
        this.pingSent = 0;
        const server = Date.parse(String(said.time));
        useLink.setState({ rtt, skew: server + rtt / 2 - Date.now() });
        return;
      }
      case "error":
        this.refused(said);
        return;
      default:
        return;
    }
  }

  private refused(said: Said): void {
    const [channel, account] = String(said.id ?? "").split(":");
    const lost =
      said.name === "TOO_OLD" || (said.name === "BAD_MESSAGE" && said.field === "resume_from");
    if (lost) {
      // Too far back, or the server began a new life: forget where we were and read everything anew.
      for (const each of this.channels) {
        if (each.channel !== channel || each.account !== Number(account)) continue;
        each.seq = null;
        this.subscribe(each);
      }
    } else if (said.name === "UNKNOWN_CHANNEL" && account && this.introductions-- > 0) {
      // An account opened a moment ago: the line learns of it when it says again who it is.
      this.say({ op: "authenticate", token: this.token });
      for (const each of this.channels)
        if (each.channel === channel && each.account === Number(account)) this.subscribe(each);
      if (channel === "quotes" && this.viewer === Number(account)) this.subscribeQuotes();
    } else if (said.name !== "UNAUTHENTICATED" && said.name !== "TOKEN_EXPIRED") {
      console.warn("socket:", said.detail);
    }
  }
}

export const socket = new Socket();

// Connected exactly while somebody is signed in; a signed-out tab keeps nothing of the account's stream.
useSession.subscribe((now, before) => {
  const on = now.signedIn && !now.expired && !now.mustChangePassword;
  const was = before.signedIn && !before.expired && !before.mustChangePassword;
  if (on && !was) socket.open();
  if (!on && was) socket.close();
});
const begun = useSession.getState();
if (begun.signedIn && !begun.expired) socket.open();

/** The server's clock, ms since 1970. */
export const serverNow = (): number => Date.now() + useLink.getState().skew;

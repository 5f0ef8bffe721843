/** The calls of groups and instruments, in one form for both. */
import {
  type ApprovalOut,
  api,
  ask,
  type ChangePreview,
  command,
  type Done,
  type GroupIn,
  type InstrumentIn,
} from "@/api/client";
import type { Body, Shape } from "./shapes";

type What = Shape["what"];

/** What a definition would change, and for whom. */
export const preview = (what: What, body: Body): Promise<ChangePreview> =>
  what === "group"
    ? ask(api.POST("/api/v1/groups/preview", { body: body as GroupIn }))
    : ask(api.POST("/api/v1/instruments/preview", { body: body as InstrumentIn }));

/** Make it stand, or ask a second person. */
export const apply = (
  what: What,
  name: string,
  definition: Body,
  more: { reason: string; second_person: boolean },
  key: string,
): Promise<Done | ApprovalOut> =>
  command<Done | ApprovalOut>(
    (header) =>
      what === "group"
        ? api.PUT("/api/v1/groups/{name}", {
            params: { header, path: { name } },
            body: { definition: definition as GroupIn, ...more },
          })
        : api.PUT("/api/v1/instruments/{symbol}", {
            params: { header, path: { symbol: name } },
            body: { definition: definition as InstrumentIn, ...more },
          }),
    key,
  );

/** Take a change back, or ask a second person to. */
export const revert = (
  number: number,
  more: { reason: string; second_person: boolean },
  key: string,
): Promise<Done | ApprovalOut> =>
  command<Done | ApprovalOut>(
    (header) =>
      api.POST("/api/v1/changes/{number}/revert", {
        params: { header, path: { number } },
        body: more,
      }),
    key,
  );

/** Money in and out of an account: what each act is called and where it is sent. */
import { type ApprovalOut, api, command, type Done } from "@/api/client";

export type Operation = "deposit" | "withdrawal" | "credit_in" | "credit_out" | "correction";

export const OPERATIONS: Record<Operation, { name: string; verb: string }> = {
  deposit: { name: "Deposit", verb: "Put money in" },
  withdrawal: { name: "Withdrawal", verb: "Take money out" },
  credit_in: { name: "Give credit", verb: "Give credit" },
  credit_out: { name: "Take credit back", verb: "Take credit back" },
  correction: { name: "Correction", verb: "Correct the balance" },
};

export type Move = {
  account: number;
  operation: Operation;
  amount: string;
  reason: string;
  second_person: boolean;
};

/** Send it: done at once, or a request that waits for a second person. */
export function send(move: Move, key: string): Promise<Done | ApprovalOut> {
  const { account, operation, amount, reason, second_person } = move;
  const path = { account };
  const body = { amount, reason, second_person };
  return command<Done | ApprovalOut>((header) => {
    const params = { header, path };
    switch (operation) {
      case "deposit":
        return api.POST("/api/v1/accounts/{account}/deposits", { params, body });
      case "withdrawal":
        return api.POST("/api/v1/accounts/{account}/withdrawals", { params, body });
      case "correction":
        return api.POST("/api/v1/accounts/{account}/corrections", { params, body });
      default:
        return api.POST("/api/v1/accounts/{account}/credits", {
          params,
          body: { ...body, direction: operation === "credit_in" ? "in" : "out" },
        });
    }
  }, key);
}

/** True for a request that waits, false for what was done. */
export const waits = (made: Done | ApprovalOut): made is ApprovalOut => "requester" in made;

/** True if the rule asks for a second person for this amount. */
export const needsSecond = (amount: string, from: string | null | undefined): boolean =>
  from !== null && from !== undefined && amount !== "" && Math.abs(Number(amount)) >= Number(from);

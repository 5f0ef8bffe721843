import { useQuery } from "@tanstack/react-query";
import { t } from "@/text";
import { waitingQuery } from "./queries";

/** How many requests wait for a second person. */
export function Waiting() {
  const { data } = useQuery(waitingQuery);
  const count = data?.items.length ?? 0;
  if (!count) return null;
  return (
    <span
      className="ml-auto rounded-full bg-accent-solid px-1.5 text-tag text-white"
      title={t("{n} requests wait for a second person", { n: count })}
    >
      {count}
    </span>
  );
}

/** Logins by user id, for those who may read users; others see the number. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { meQuery } from "@/api/queries";
import { t } from "@/text";
import { namesQuery } from "./queries";
import { may } from "./tabs";

export function useNames(): (id: number | null | undefined) => string {
  const { data: me } = useQuery(meQuery);
  const { data } = useQuery({ ...namesQuery, enabled: may(me, "users:read") });
  return useCallback(
    (id) =>
      id === null || id === undefined
        ? t("system")
        : id === me?.id
          ? t("you")
          : (data?.get(id) ?? t("user {id}", { id })),
    [data, me],
  );
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask, type SessionOut } from "@/api/client";
import { ago, dateTime } from "@/format/time";
import { Button, Failed, Loading, Tag, toast } from "@/kit";
import { t } from "@/text";
import { Part } from "./Heading";

const KEY = ["me", "sessions"];

/** Where the user is signed in, and how to end it there. */
export default function Sessions() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: () => ask(api.GET("/api/v1/me/sessions")),
  });
  const end = useMutation({
    mutationFn: (id: string) =>
      ask(api.DELETE("/api/v1/me/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSuccess: () => toast.ok(t("The session is ended")),
    onError: (thrown) => toast.problem(thrown),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
  if (error) return <Failed error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  const others = data.filter((each) => !each.current);
  return (
    <Part
      title={t("Where you are signed in")}
      said={t("End a session you do not know, then change your password.")}
    >
      <ul className="divide-y divide-line-subtle border-line-subtle border-y">
        {data.map((each) => (
          <li key={each.id} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2 text-table">
            <div className="min-w-0 flex-1">
              <p className="flex items-center gap-2 font-medium">
                <span className="truncate">{device(each)}</span>
                {each.current && <Tag tone="ok">{t("this one")}</Tag>}
              </p>
              <p className="text-fg-2 text-hint">
                {each.address} · {t("since {time}", { time: dateTime(each.created) })} ·{" "}
                {t("used {time}", { time: ago(each.used) })}
              </p>
            </div>
            {!each.current && (
              <Button
                small
                onClick={() => end.mutate(each.id)}
                busy={end.isPending && end.variables === each.id}
              >
                {t("End")}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <Button
          className="mt-3"
          look="danger"
          onClick={() => {
            for (const each of others) end.mutate(each.id);
          }}
        >
          {t("End all others")}
        </Button>
      )}
    </Part>
  );
}

/** "Chromium on Linux" from a user agent; what is unknown is shown as it is. */
function device(session: SessionOut): string {
  const { agent } = session;
  const browser = /Edg\//.test(agent)
    ? "Edge"
    : /Firefox\//.test(agent)
      ? "Firefox"
      : /Chrome\//.test(agent)
        ? "Chromium"
        : /Safari\//.test(agent)
          ? "Safari"
          : "";
  const system = /Windows/.test(agent)
    ? "Windows"
    : /Android/.test(agent)
      ? "Android"
      : /iPhone|iPad/.test(agent)
        ? "iOS"
        : /Mac OS/.test(agent)
          ? "macOS"
          : /Linux/.test(agent)
            ? "Linux"
            : "";
  if (!browser) return agent.slice(0, 80) || t("Unknown program");
  return system ? t("{browser} on {system}", { browser, system }) : browser;
}

import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { Button } from "@/kit/Button";
import { t } from "@/text";

/** A page broke: say so, and how to go on. The rest of the app keeps running. */
export function Crashed({ error: thrown, reset }: ErrorComponentProps) {
  const error = thrown as Error;
  // A new version was installed while this tab was open: its old chunks are gone.
  const outdated = /dynamically imported module|Importing a module|preload/i.test(error.message);
  return (
    <div role="alert" className="grid h-full place-items-center p-6">
      <div className="flex max-w-96 flex-col items-center gap-2 text-center">
        <h1 className="font-semibold text-[15px]">
          {outdated ? t("A new version is here") : t("This page stopped working")}
        </h1>
        <p className="text-body text-fg-2">
          {outdated
            ? t("Load the page again to use it.")
            : t("Your orders and positions are not affected. {why}", { why: error.message })}
        </p>
        <div className="flex gap-2">
          <Button look="primary" onClick={() => location.reload()}>
            {t("Load again")}
          </Button>
          {!outdated && <Button onClick={reset}>{t("Try again")}</Button>}
        </div>
      </div>
    </div>
  );
}

/** No such address. */
export function NotFound() {
  return (
    <div className="grid h-full min-h-60 place-items-center p-6 text-center">
      <div>
        <h1 className="font-semibold text-[15px]">{t("There is no such page")}</h1>
        <Link to="/terminal/{-$layout}" className="text-accent underline">
          {t("Go to the terminal")}
        </Link>
      </div>
    </div>
  );
}

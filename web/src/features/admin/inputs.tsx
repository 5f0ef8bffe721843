import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Input } from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";

const TYPING_MS = 250;

/** A filter one types; told a moment after the last key. */
export function FilterText({
  label,
  value,
  onChange,
  width = "w-44",
  search = false,
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
  width?: string;
  /** The page's main filter: "/" goes there. */
  search?: boolean;
}) {
  const [typed, setTyped] = useState(value ?? "");
  const told = useRef(value ?? "");
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if ((value ?? "") !== told.current) {
      told.current = value ?? "";
      setTyped(value ?? "");
    }
  }, [value]);
  useEffect(() => {
    if (typed === told.current) return;
    const timer = setTimeout(() => {
      told.current = typed;
      onChange(typed.trim());
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, onChange]);
  return (
    <div className={`relative ${width} max-w-full`}>
      {search && (
        <Search
          size={13}
          className="absolute top-1/2 left-2 -translate-y-1/2 text-fg-3"
          aria-hidden
        />
      )}
      <Input
        ref={box}
        type="search"
        aria-label={label}
        placeholder={label}
        data-page-search={search || undefined}
        className={search ? "pl-7" : undefined}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}

const ALL = "";

/** A filter of a few values; the first takes it away. */
export function FilterSelect({
  label,
  value,
  onChange,
  choices,
  all,
  width = "w-36",
}: {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
  choices: readonly (readonly [value: string, label: string])[];
  /** What no filter is called. */
  all?: string;
  width?: string;
}) {
  return (
    <Choose
      label={label}
      className={`${width} max-w-full`}
      value={value ?? ALL}
      onChange={onChange}
      choices={[
        { value: ALL, label: all ?? t("Any {what}", { what: label.toLowerCase() }) },
        ...choices.map(([key, name]) => ({ value: key, label: name })),
      ]}
    />
  );
}

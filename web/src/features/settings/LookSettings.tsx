import { type Density, type Palette, type Theme, useLook } from "@/app/look";
import { Checkbox, Segments } from "@/kit";
import { t } from "@/text";

/** Theme, market colours, density, keys: kept on this device. */
export function LookSettings() {
  const look = useLook();
  const row = "flex flex-wrap items-center gap-x-4 gap-y-1";
  const name = "w-40 text-fg-2 text-table";
  return (
    <div className="flex flex-col gap-3">
      <div className={row}>
        <span className={name}>{t("Theme")}</span>
        <Segments<Theme>
          label={t("Theme")}
          value={look.theme}
          onChange={(theme) => useLook.setState({ theme })}
          choices={[
            { value: "system", label: t("System") },
            { value: "dark", label: t("Dark") },
            { value: "light", label: t("Light") },
          ]}
        />
      </div>
      <div className={row}>
        <span className={name}>{t("Market colours")}</span>
        <Segments<Palette>
          label={t("Market colours")}
          value={look.palette}
          onChange={(palette) => useLook.setState({ palette })}
          choices={[
            { value: "classic", label: t("Classic") },
            { value: "blue-orange", label: t("Colour-blind safe") },
            { value: "red-up", label: t("Red up") },
          ]}
        />
        <span className="text-table">
          <span className="text-up">▲ +1.20</span> <span className="text-down">▼ −1.20</span>
        </span>
      </div>
      <div className={row}>
        <span className={name}>{t("Density")}</span>
        <Segments<Density>
          label={t("Density")}
          value={look.density}
          onChange={(density) => useLook.setState({ density })}
          choices={[
            { value: "auto", label: t("Automatic") },
            { value: "compact", label: t("Compact") },
            { value: "comfortable", label: t("Comfortable") },
            { value: "touch", label: t("Touch") },
          ]}
        />
      </div>
      <Checkbox
        label={t("Hollow candles: rising candles are outlines")}
        checked={look.hollow}
        onChange={(event) => useLook.setState({ hollow: event.target.checked })}
      />
      <Checkbox
        label={t("Shortcuts of single letters")}
        checked={look.singleKeys}
        onChange={(event) => useLook.setState({ singleKeys: event.target.checked })}
      />
    </div>
  );
}

/** How the app looks on this device: theme, market colours, density. theme.js reads it before the first paint. */
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "dark" | "light";
export type Palette = "classic" | "blue-orange" | "red-up";
export type Density = "auto" | "compact" | "comfortable" | "touch";
type Look = {
  theme: Theme;
  palette: Palette;
  density: Density;
  singleKeys: boolean;
  hollow: boolean;
};

export const useLook = create<Look>()(
  persist(
    (): Look => ({
      theme: "system",
      palette: "classic",
      density: "auto",
      singleKeys: true,
      hollow: false,
    }),
    {
      name: "tradeloom.look",
    },
  ),
);

const light = matchMedia("(prefers-color-scheme: light)");
const narrow = matchMedia("(max-width: 767px)");

/** The theme on the screen now. */
export const shownTheme = (): "dark" | "light" => {
  const { theme } = useLook.getState();
  return theme === "system" ? (light.matches ? "light" : "dark") : theme;
};

function apply(): void {
  const { palette, density } = useLook.getState();
  const root = document.documentElement.dataset;
  root.theme = shownTheme();
  root.palette = palette;
  root.density = density === "auto" ? (narrow.matches ? "touch" : "compact") : density;
  for (const each of heard) each();
}

const heard = new Set<() => void>();

/** Call back after the look changed: canvases read their colours anew. */
export function onLook(listener: () => void): () => void {
  heard.add(listener);
  return () => {
    heard.delete(listener);
  };
}

/** The present value of a design token, for canvases: `token("--up")`. */
export const token = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The other theme, for the button in the top bar. */
export const toggleTheme = (): void =>
  void useLook.setState({ theme: shownTheme() === "dark" ? "light" : "dark" });

useLook.subscribe(apply);
light.addEventListener("change", apply);
narrow.addEventListener("change", apply);
apply();

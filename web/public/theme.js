// Runs before the first paint, so that nobody sees the wrong theme flash by. Kept tiny and external:
// the content security policy allows no script in the page itself.
(() => {
  let look = {};
  try {
    look = JSON.parse(localStorage.getItem("tradeloom.look") || "{}").state ?? {};
  } catch {}
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  const root = document.documentElement.dataset;
  root.theme =
    look.theme === "light" || look.theme === "dark" ? look.theme : light ? "light" : "dark";
  root.palette = look.palette ?? "classic";
  root.density =
    look.density && look.density !== "auto" ? look.density : innerWidth < 768 ? "touch" : "compact";
})();

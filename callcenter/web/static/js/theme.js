// Runs before the first paint: the system decides the theme until someone chooses.
"use strict";
(() => {
  const root = document.documentElement;
  let theme = new URLSearchParams(location.search).get("theme");
  try { theme = theme || localStorage.getItem("theme"); } catch { /* storage may be closed */ }
  if (!theme && root.hasAttribute("data-wall")) theme = "dark"; // a board is read from afar
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not kept */ }
    document.dispatchEvent(new CustomEvent("themechange"));
  });
})();

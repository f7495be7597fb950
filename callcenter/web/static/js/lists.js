// A list of tickets: the space bar ticks the row that has the focus; the button says how many are ticked.
"use strict";
(() => {
  const form = () => document.querySelector("[data-picking]");
  const ticked = () => form()?.querySelectorAll(".pick input:checked").length || 0;

  function count() {
    const button = form()?.querySelector("[data-picked]");
    if (!button) return;
    button.dataset.plain ||= button.textContent;
    button.textContent = ticked() ? button.dataset.picked.replace("{num}", ticked()) : button.dataset.plain;
  }

  document.addEventListener("change", (event) => { if (event.target.closest(".pick")) count(); });
  window.consoleKeys?.set("Space", () => {
    const box = document.activeElement?.closest?.("[data-row]")?.querySelector(".pick input");
    if (!box || document.activeElement === box) return false;
    box.checked = !box.checked;
    count();
    return true;
  });
  count();
})();

// Keys. Match event.code, never event.key: with a Chinese input method on, key is "Process".
// Single keys are dead while composing, inside a field, with a modifier, or when switched off (WCAG 2.1.4).
// A page's own keys are added with window.consoleKeys.set(code, handler); a step opens, its button does the deed.
"use strict";
(() => {
  const fields = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
  const rooms = { KeyD: "/desk", KeyR: "/review", KeyT: "/tickets", KeyC: "/reminders", KeyA: "/answering" };
  const keys = new Map();
  window.consoleKeys = keys;
  let singleKeys = true;
  try { singleKeys = localStorage.getItem("singleKeys") !== "off"; } catch { /* not kept */ }
  let goTo = 0;

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const visible = (element) => element && element.offsetParent !== null;

  function search() {
    const box = $$("[type=search]").filter(visible).pop();
    if (!box) return false;
    box.focus();
    box.select();
    return true;
  }

  // Rows of a list: the focus is the cursor, so that a screen reader follows and Enter opens.
  function step(by) {
    const links = $$("[data-row]").map((row) => $("a", row)).filter(visible);
    if (!links.length) return false;
    const here = links.findIndex((link) => link.closest("[data-row]").contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + by));
    links[next].focus();
    links[next].closest("[data-row]").scrollIntoView({ block: "nearest" });
    return true;
  }

  function openStep(code) {
    const details = $$("[data-step]").find((one) => one.dataset.key === code);
    if (!details) {
      const field = $(`[data-key="${code}"]`);
      if (!field) return false;
      field.focus();
      return true;
    }
    details.open = true;
    ($("select, input:not([type=hidden]), textarea", details) || $("button", details))?.focus();
    return true;
  }

  function myState() {
    const menu = $("#me-state details");
    if (!menu) return false;
    menu.open = true;
    $("button", menu)?.focus();
    return true;
  }
  keys.set("Shift+KeyS", myState);

  function help() {
    const dialog = $("[data-help]");
    if (!dialog) return false;
    dialog.open ? dialog.close() : dialog.showModal();
    return true;
  }

  function mainButton(target) {
    const form = target.closest?.("form");
    const button = form ? $("button", form) : $("button[data-main]") || $("main button.main");
    if (form && !form.reportValidity()) return;
    button?.click();
  }

  function single(event) {
    const code = event.code;
    if (goTo && Date.now() - goTo < 1500 && rooms[code]) { location.assign(rooms[code]); return true; }
    goTo = 0;
    if (event.shiftKey) return code === "Slash" ? help() : Boolean(keys.get(`Shift+${code}`)?.(event));
    if (code === "KeyG") { goTo = Date.now(); return true; }
    if (code === "Slash") return search();
    if (keys.get(code)?.(event)) return true;
    if (code === "KeyJ") return step(1);
    if (code === "KeyK") return step(-1);
    return openStep(code);
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.ctrlKey && event.code === "Enter") { event.preventDefault(); if (!event.repeat) mainButton(target); return; }
    if (event.code === "Escape") {
      const open = target.closest?.("details[open]");
      if (target.closest?.(fields)) target.blur();
      if (open) { open.open = false; $("summary", open)?.focus(); }
      return;
    }
    if (target.closest?.(fields) || $("dialog[open]")) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat && !event.code.startsWith("Arrow")) return;
    if (!singleKeys && event.code !== "Space") return;
    const acts = target.closest?.("button, a, summary, [type=checkbox]");
    const ticks = event.code === "Space" && acts?.matches("[data-picking] [data-row] a"); // a link does nothing with it
    if (["Space", "Enter"].includes(event.code) && acts && !ticks) return;
    if (single(event)) event.preventDefault();
  });

  // One drop-down at a time; a click elsewhere closes it.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-help]")) help();
    for (const open of $$("details.menu[open], details.step[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });

  const box = $("[data-keys-switch]");
  if (box) {
    box.checked = singleKeys;
    box.addEventListener("change", () => {
      singleKeys = box.checked;
      try { localStorage.setItem("singleKeys", singleKeys ? "on" : "off"); } catch { /* not kept */ }
    });
  }
})();

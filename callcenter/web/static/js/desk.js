// The desk follows its agent's phone: it turns to the call that rings, fills the draft, and never takes words away
// from under a writer: then it offers the new call in a line.
"use strict";
(() => {
  const desk = document.querySelector("[data-desk]");
  if (!desk) return;
  const shown = desk.dataset.desk;
  const phase = desk.dataset.phase || "idle";
  const $ = (selector) => document.querySelector(selector);
  const $$ = (selector) => [...document.querySelectorAll(selector)];

  // A list is as it came when its first choice, or the one that the page chose, still stands.
  const asItCame = (list) => list.selectedIndex === Math.max(0, [...list.options].findIndex((option) => option.defaultSelected));
  const isChanged = (field) => field.type !== "hidden" && (field.tagName === "SELECT" ? !asItCame(field) : field.value !== field.defaultValue);
  const isWriting = () => $$("main input, main textarea, main select").some(isChanged) || Boolean($("main details[open]"));

  function turnTo(address) {
    if (isWriting()) window.htmx?.ajax("GET", "/desk/pop", { target: "#pop", swap: "innerHTML" });
    else location.replace(address);
  }

  document.addEventListener("phone", ({ detail }) => {
    const on = detail.doing === "ringing" || detail.doing === "talking";
    if (on && detail.call !== shown) turnTo(`/desk/calls/${encodeURIComponent(detail.call)}`);
    else if (on && detail.doing !== phase) location.replace(location.pathname);
    else if (!on && (phase === "ringing" || phase === "talking")) turnTo(location.pathname);
    else if (phase === "idle" && detail.state && detail.state !== desk.dataset.state) location.replace("/desk");
  });

  // The ticket comes by itself, at the end of the call or with an alarm; a draft has nothing that a person wrote.
  let seen = null;
  let standing = null;
  document.addEventListener("changes", ({ detail }) => {
    const stood = standing;
    standing = `${detail.calls} ${detail.agents}`;
    if (stood !== null && stood !== standing && $("#orders") && !$("#orders details[open]")) {
      window.htmx?.ajax("GET", location.pathname, { target: "#orders", select: "#orders", swap: "outerHTML" });
    }
    const pane = $("#draftpane");
    const changed = seen !== null && detail.tickets !== seen;
    seen = detail.tickets;
    if (changed && pane && !pane.dataset.ticket && phase !== "ringing") {
      window.htmx?.ajax("GET", location.pathname, { target: "#draftpane", select: "#draftpane", swap: "outerHTML" });
    }
  });

  // --- the draft: what is new glows once, its words are marked where they were said ---
  document.addEventListener("draft", ({ detail }) => {
    const draft = $("[data-draft]");
    if (draft) {
      const before = new Map($$("[data-draft] [data-value]").map((one) => [one.closest("[data-field]").dataset.field, one.textContent]));
      const parsed = new DOMParser().parseFromString(detail.fields, "text/html");
      draft.replaceChildren(...parsed.body.childNodes);
      for (const value of $$("[data-draft] [data-value]")) {
        if (before.get(value.closest("[data-field]").dataset.field) !== value.textContent) value.classList.add("new");
      }
    }
    const lines = $$("[data-talk] > li:not(.partial)");
    for (const [number, parts] of Object.entries(detail.marks)) markLine(lines[Number(number)], parts);
    if (detail.repeat_back) say(detail.repeat_back);
  });

  function markLine(line, parts) {
    const words = line?.querySelector("p");
    if (!words || words.dataset.marks === JSON.stringify(parts)) return;
    words.dataset.marks = JSON.stringify(parts);
    words.replaceChildren(...parts.map(([text, kind, fields]) => {
      if (!kind) return text;
      const mark = document.createElement("mark");
      mark.textContent = text;
      mark.dataset.slot = fields;
      mark.className = kind === "heard" ? "new" : `${kind} new`;
      return mark;
    }));
  }

  // --- phrases to say ---
  const phrase = $("[data-phrases]");
  const phrases = phrase ? JSON.parse(phrase.dataset.phrases) : [];
  let at = 0;
  let repeatBack = null;
  function say(words) {
    if (!phrase || words === repeatBack) return;
    if (repeatBack) phrases.splice(phrases.indexOf(repeatBack), 1);
    repeatBack = words;
    phrases.unshift(words);
    if (!isWriting()) { at = 0; phrase.textContent = words; }
  }
  function turn(by) {
    if (!phrases.length) return false;
    at = (at + by + phrases.length) % phrases.length;
    phrase.textContent = phrases[at];
    return true;
  }
  window.consoleKeys?.set("BracketLeft", () => turn(-1));
  window.consoleKeys?.set("BracketRight", () => turn(1));
  // Buttons that act on the call; one key may have another button as the call stands now.
  for (const code of ["KeyH", "KeyX", "KeyJ", "KeyZ", "KeyL", "KeyE", "KeyI", "KeyQ"]) {
    window.consoleKeys?.set(code, () => { const button = $(`[data-press="${code}"]`); button?.click(); return Boolean(button); });
  }
  window.consoleKeys?.set("KeyW", () => { const button = $("[data-wrap-up] button"); button?.click(); return Boolean(button); });
})();

// A word that was heard and the field it filled point at each other; keys 1-9 open a field.
"use strict";
(() => {
  const $$ = (selector) => [...document.querySelectorAll(selector)];
  const named = (name) => $$("[data-slot]").filter((one) => one.dataset.slot.split(" ").includes(name));

  function light(names, on) {
    for (const name of names) {
      for (const word of named(name)) word.classList.toggle("hot", on);
      for (const value of $$(`[data-field="${CSS.escape(name)}"] .heard`)) value.classList.toggle("hot", on);
    }
  }

  for (const part of $$("[data-slot], [data-field]")) {
    const names = (part.dataset.slot || part.dataset.field).split(" ");
    part.addEventListener("pointerenter", () => light(names, true));
    part.addEventListener("pointerleave", () => light(names, false));
    part.addEventListener("focusin", () => light(names, true));
    part.addEventListener("focusout", () => light(names, false));
  }

  // A click on a heard word goes to its field.
  document.addEventListener("click", (event) => {
    const word = event.target.closest("mark[data-slot]");
    if (!word) return;
    const field = document.querySelector(`[data-field="${CSS.escape(word.dataset.slot.split(" ")[0])}"]`);
    field?.scrollIntoView({ block: "nearest" });
  });

  function openField(number) {
    const field = document.querySelector(`[data-number="${number}"]`);
    const editor = field?.querySelector("[data-edit]");
    if (!editor) return false;
    for (const other of $$("[data-edit][open]")) if (other !== editor) other.open = false;
    editor.open = true;
    field.scrollIntoView({ block: "nearest" });
    editor.querySelector("select, input:not([type=hidden])")?.focus();
    return true;
  }

  for (const editor of $$("[data-edit]")) {
    editor.addEventListener("toggle", () => { if (editor.open) editor.querySelector("select, input:not([type=hidden])")?.focus(); });
  }
  for (let number = 1; number <= 9; number += 1) {
    window.consoleKeys?.set(`Digit${number}`, () => openField(number));
    window.consoleKeys?.set(`Numpad${number}`, () => openField(number));
  }
})();

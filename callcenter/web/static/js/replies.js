// Reply texts: copied as they were filled in and changed; opening one selects what the ticket does not know.
"use strict";
(() => {
  const gap = /（(?:称呼|经办人|事项|地址|时间)）/;

  for (const details of document.querySelectorAll("details.reply")) {
    const text = details.querySelector("[data-reply]");
    const button = details.querySelector("[data-copy]");
    const words = button.textContent;
    let timer = 0;
    button.hidden = false;

    details.addEventListener("toggle", () => {
      if (!details.open) return;
      const found = gap.exec(text.value);
      text.focus();
      text.setSelectionRange(found ? found.index : 0, found ? found.index + found[0].length : 0);
    });

    // Without https the browser gives no clipboard; the old way works there.
    async function copy() {
      try {
        await navigator.clipboard.writeText(text.value);
        return true;
      } catch {
        text.select();
        return document.execCommand("copy");
      }
    }

    button.addEventListener("click", async () => {
      if (!(await copy())) return;
      button.textContent = button.dataset.copied;
      clearTimeout(timer);
      timer = setTimeout(() => { button.textContent = words; }, 2000);
    });
  }
})();

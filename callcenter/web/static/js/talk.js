// What is said on this call, while it is said: sentences in ink, words that may still change in grey, danger marked.
"use strict";
(() => {
  const list = document.querySelector("[data-talk]");
  if (!list) return;
  const state = document.querySelector("[data-talk-state]");
  const alarm = document.querySelector("[data-talk-alarm]");
  const pad = (number) => String(number).padStart(2, "0");
  const clock = (ms) => `${pad(Math.floor(ms / 60000))}:${pad(Math.floor(ms / 1000) % 60)}`;
  const element = (name, css, text) => {
    const made = document.createElement(name);
    if (css) made.className = css;
    if (text) made.textContent = text;
    return made;
  };

  function spoken(line) {
    const p = element("p");
    let rest = line.text;
    for (const word of line.danger || []) {
      const at = rest.indexOf(word);
      if (at < 0) continue;
      p.append(rest.slice(0, at), element("mark", "danger", word));
      rest = rest.slice(at + word.length);
    }
    p.append(rest);
    return p;
  }

  function row(line, partial) {
    const item = element("li", partial ? `${line.css} partial` : line.css);
    item.append(element("span", "t", partial ? "…" : clock(line.start_ms)));
    item.append(element("span", "who", list.dataset[line.side] || ""), spoken(line));
    return item;
  }

  document.addEventListener("talk", ({ detail }) => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    for (const old of list.querySelectorAll(".partial")) old.remove();
    if (detail.from === 0) list.replaceChildren();
    for (const line of detail.lines) list.append(row(line, false));
    for (const line of detail.partials) list.append(row(line, true));
    if (state) state.textContent = state.dataset[detail.state] || "";
    if (alarm) alarm.hidden = !detail.emergency;
    if (atEnd) list.scrollTop = list.scrollHeight;
  });
})();

// The board on a screen that nobody touches for weeks: one stream, opened anew whenever it falls silent.
"use strict";
(() => {
  const { setClock, clock, now, draw } = window.callClock;
  const body = document.body;
  const fresh = document.querySelector("[data-fresh]");
  const time = document.querySelector("[data-wall-clock]");
  const board = document.querySelector("[data-board]");
  const STALE_MS = 10000;
  const SILENT_MS = 15000;
  let heardAt = performance.now();
  let openedAt = 0;
  let source = null;
  let gone = false;

  function show(told) {
    heardAt = performance.now();
    gone = false;
    if (told.version !== body.dataset.version) { location.reload(); return; }
    setClock(told.now, told.offset_minutes);
    if (told.html !== undefined) {
      const parsed = new DOMParser().parseFromString(told.html, "text/html");
      board.replaceChildren(...parsed.body.childNodes);
    }
    draw();
    age();
  }

  function open() {
    source?.close();
    openedAt = performance.now();
    source = new EventSource(body.dataset.feed);
    source.addEventListener("board", (event) => show(JSON.parse(event.data)));
    source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) whyClosed(); });
  }

  // A browser does not try again after a refusal: a proxy's 502 while the server restarts, or a screen taken down.
  async function whyClosed() {
    try { gone = (await fetch(location.pathname, { method: "HEAD", cache: "no-store" })).status === 404; } catch { gone = false; }
    age();
  }

  function age() {
    const silent = performance.now() - heardAt;
    const stale = gone || silent > STALE_MS;
    body.classList.toggle("stale", stale);
    const words = gone ? fresh.dataset.gone
      : stale ? fresh.dataset.stale.replace("{time}", clock(now() - silent, true))
      : fresh.dataset.age.replace("{n}", Math.floor(silent / 1000));
    if (fresh.textContent !== words) fresh.textContent = words;
    const written = clock(now(), false);
    if (time.textContent !== written) time.textContent = written;
  }

  setInterval(() => {
    age();
    const silent = performance.now() - Math.max(heardAt, openedAt);
    if (silent > SILENT_MS || (source.readyState === EventSource.CLOSED && performance.now() - openedAt > 3000)) open();
  }, 1000);
  open();
  age();
})();

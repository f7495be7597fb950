// Says that something changed; never moves what is being read. The reader decides when to see it.
"use strict";
(() => {
  const line = document.querySelector("[data-live-line]");
  const region = document.querySelector("[data-live]");
  if (!line || !window.EventSource) return;
  const watched = region ? region.dataset.live.split(" ") : [];
  const marks = (changes) => watched.map((name) => changes[name]).join("\n");
  const atFirst = line.dataset.seen ? JSON.parse(line.dataset.seen) : null;
  let seen = atFirst && marks(atFirst);
  let alarms = atFirst && atFirst.alarms;
  let lostSince = null;
  let timer = 0;

  function say(words, button) {
    line.hidden = false;
    line.replaceChildren(words);
    if (!button) return;
    const show = document.createElement("button");
    show.type = "button";
    show.className = "jump";
    show.textContent = button;
    show.addEventListener("click", refresh);
    line.append(" ", show);
  }

  // Only the region is fetched again, at the same address: scroll, search box and menus stay as they are.
  function refresh() {
    line.hidden = true;
    if (region.id && window.htmx) {
      window.htmx.ajax("GET", location.pathname + location.search, { target: `#${region.id}`, select: `#${region.id}`, swap: "outerHTML" });
    } else {
      location.reload();
    }
  }

  // Only the band of alarms is fetched and swapped; what the reader reads and types stays as it is.
  function fetchAlarms() {
    window.htmx?.ajax("GET", "/alarms", { target: "#alarms", swap: "outerHTML" });
  }

  // A login that has ended is said in a line; it never takes a page away from under a writer.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.status === 401 && requestConfig.path === "/alarms") { event.preventDefault(); say(line.dataset.signedOut); }
  });
  let unfolded = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id === "alarms") unfolded = Boolean(document.querySelector("#alarms > details[open]"));
  });
  document.addEventListener("htmx:afterSwap", () => {
    const folded = document.querySelector("#alarms > details");
    if (unfolded && folded) folded.open = true;
  });

  // A page of a call that goes on hears on the same stream what is said on it.
  const talk = document.querySelector("[data-talk]");
  const desk = document.querySelector("[data-desk]");
  const readers = document.querySelector("[data-readers]");
  const asked = new URLSearchParams();
  if (talk) asked.set("call", talk.dataset.talk);
  if (talk && desk) asked.set("draft", "1");
  if (readers) asked.set("ticket", readers.dataset.readers);
  const source = new EventSource(`/events?${asked}`);
  // Whoever else has this ticket open is named beside its number, and is gone when they are.
  source.addEventListener("readers", (event) => {
    const shown = document.querySelector("[data-readers]");
    if (shown) shown.textContent = JSON.parse(event.data).join(" ");
  });
  source.addEventListener("talk", (event) => document.dispatchEvent(new CustomEvent("talk", { detail: JSON.parse(event.data) })));
  // One's own phone and state: the bar's part is fetched, and whoever shows more of the call hears it, too.
  let phone = document.querySelector("#me-state")?.dataset.doing;
  source.addEventListener("phone", (event) => {
    const told = JSON.parse(event.data);
    const mine = document.querySelector("#me-state");
    if (told.doing !== phone && !mine?.querySelector("details[open]")) window.htmx?.ajax("GET", "/me", { target: "#me-state", swap: "outerHTML" });
    const rang = phone === "ringing";
    phone = told.doing;
    if (!desk && (rang || phone === "ringing")) window.htmx?.ajax("GET", "/desk/pop", { target: "#pop", swap: "innerHTML" });
    document.dispatchEvent(new CustomEvent("phone", { detail: told }));
  });
  source.addEventListener("draft", (event) => document.dispatchEvent(new CustomEvent("draft", { detail: JSON.parse(event.data) })));
  source.addEventListener("changes", (event) => {
    const changes = JSON.parse(event.data);
    const now = marks(changes);
    if (lostSince) { lostSince = null; line.hidden = true; }
    clearTimeout(timer);
    if (seen !== null && now !== seen) say(line.dataset.changed, line.dataset.show);
    seen = now;
    document.dispatchEvent(new CustomEvent("changes", { detail: changes }));
    if (changes.alarms !== alarms) fetchAlarms();
    alarms = changes.alarms;
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) { say(line.dataset.signedOut); return; }
    if (lostSince) return;
    lostSince = new Date();
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (lostSince) say(line.dataset.lost.replace("{time}", lostSince.toLocaleTimeString("zh-CN", { hour12: false })));
    }, 5000);
  });
  source.addEventListener("open", () => {
    clearTimeout(timer);
    if (lostSince) { lostSince = null; line.hidden = true; }
  });
  addEventListener("pagehide", () => source.close());
})();

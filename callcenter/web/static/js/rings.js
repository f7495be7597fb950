// Rings and seconds that go on by themselves between two words from the server; its clock counts, not the screen's own.
"use strict";
(() => {
  const root = document.body.dataset;
  let offset = 0;
  let drift = 0;
  const two = (number) => String(number).padStart(2, "0");
  const now = () => performance.now() + drift;

  // The server says what time it is: by this the pages count until it says so again.
  function setClock(serverNow, offsetMinutes) {
    drift = serverNow - performance.now();
    if (offsetMinutes !== undefined) offset = offsetMinutes;
  }

  function clock(ms, withSeconds) {
    const at = new Date(ms + offset * 60000);
    const minutes = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    return withSeconds ? `${minutes}:${two(at.getUTCSeconds())}` : minutes;
  }

  function length(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const minutes = `${Math.floor(seconds / 60) % 60}:${two(seconds % 60)}`;
    return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${minutes.padStart(5, "0")}` : minutes;
  }

  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // The ring that is heard now is the one that glows; past the promised ones a box stands behind the line.
  function drawRings(element, cycle, allowed) {
    const heard = Math.max(0, now() - Number(element.dataset.rings));
    const ring = Math.floor(heard / cycle) + 1;
    const late = ring > allowed;
    element.classList.toggle("late", late);
    for (const words of element.querySelectorAll("[data-ring-words]")) write(words, words.dataset.ringWords.replace("{n}", ring));
    for (const box of element.querySelectorAll("[data-box]")) {
      const number = Number(box.dataset.box);
      const over = number > allowed;
      const drawn = over ? (late ? "over now" : "gone") : number < ring ? "on" : number === ring ? "on now" : "off";
      if (box.getAttribute("class") !== drawn) box.setAttribute("class", drawn);
    }
    for (const rest of element.querySelectorAll("[data-rest-words]")) {
      const left = allowed * cycle - heard;
      const words = left > 0 ? rest.dataset.restWords : rest.dataset.overWords;
      write(rest, words.replace("{seconds}", (heard / 1000).toFixed(1)).replace("{left}", (Math.abs(left) / 1000).toFixed(1)));
    }
  }

  function draw() {
    const cycle = Number(root.cycle);
    const allowed = Number(root.ringsAllowed);
    for (const element of document.querySelectorAll("[data-rings]")) drawRings(element, cycle, allowed);
    for (const element of document.querySelectorAll("[data-since]")) write(element, length(now() - Number(element.dataset.since)));
  }

  setClock(Number(root.now), Number(root.offset));
  draw();
  setInterval(draw, 200);
  window.callClock = { setClock, clock, now, draw };
})();

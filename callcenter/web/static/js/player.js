// The recording: drawn by wavesurfer from the stored peaks, played by the browser, followed by the script.
"use strict";
(() => {
  const box = document.querySelector("[data-player]");
  const audio = box?.querySelector("[data-audio]");
  if (!audio) return;
  const $ = (selector) => box.querySelector(selector);
  const lines = [...document.querySelectorAll("[data-script] [data-start]")];
  const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
  const SIDES = ["both", "resident", "agent"];

  // --- the drawing ---
  function colours() {
    const style = getComputedStyle(document.documentElement);
    const token = (name) => style.getPropertyValue(name).trim();
    const above = Array(8).fill(token("--ink2"));
    const below = Array(8).fill(token("--line2"));
    return { waveColor: [...above, ...below], progressColor: [...above, ...below], cursorColor: token("--bad-fill") };
  }
  const wave = $("[data-wave]");
  let surfer = null;
  if (wave && window.WaveSurfer) {
    surfer = WaveSurfer.create({
      container: wave, media: audio, peaks: JSON.parse(wave.dataset.peaks), duration: Number(wave.dataset.duration),
      height: 104, barWidth: 2, barGap: 1, cursorWidth: 2, normalize: true, dragToSeek: true, hideScrollbar: true,
      cspNonce: wave.dataset.nonce, ...colours(),
    });
    document.addEventListener("themechange", () => surfer.setOptions(colours()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => surfer.setOptions(colours()));
  }

  // --- the controls: without this script the browser's own stay ---
  audio.controls = false;
  $("[data-controls]").hidden = false;
  const play = $("[data-play]");
  const written = (seconds) => {
    const whole = Math.floor(seconds);
    const two = (number) => String(number).padStart(2, "0");
    const minutes = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
    return whole >= 3600 ? `${Math.floor(whole / 3600)}:${minutes}` : minutes;
  };
  const toggle = () => { audio.paused ? audio.play() : audio.pause(); return true; };
  const shownState = () => { play.firstElementChild.textContent = audio.paused ? play.dataset.paused : play.dataset.playing; };
  const move = (seconds) => { audio.currentTime = Math.max(0, audio.currentTime + seconds); follow(true); return true; };

  function seek(milliseconds) {
    audio.currentTime = milliseconds / 1000;
    follow(true);
    if (audio.paused) audio.play();
  }

  function speed(by) {
    const at = SPEEDS.indexOf(audio.playbackRate);
    audio.playbackRate = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? 1 : at) + by))];
    $("[data-speed]").textContent = `${audio.playbackRate}×`;
    return true;
  }

  // --- one side only: the recording has the resident left and the agent right ---
  let gains = null;
  function listenTo(side) {
    if (!gains) {
      const context = new AudioContext();
      const source = context.createMediaElementSource(audio);
      const splitter = context.createChannelSplitter(2);
      gains = [context.createGain(), context.createGain()];
      source.connect(splitter);
      gains.forEach((gain, channel) => { splitter.connect(gain, channel); gain.connect(context.destination); });
      gains.context = context;
    }
    gains.context.resume();
    gains[0].gain.value = side === "agent" ? 0 : 1;
    gains[1].gain.value = side === "resident" ? 0 : 1;
    for (const button of box.querySelectorAll("[data-side]")) button.setAttribute("aria-pressed", String(button.dataset.side === side));
    return true;
  }
  function nextSide() {
    const pressed = $("[data-side][aria-pressed=true]");
    return pressed ? listenTo(SIDES[(SIDES.indexOf(pressed.dataset.side) + 1) % SIDES.length]) : false;
  }

  // --- the script follows; it scrolls only its own box, and only when the reader has not scrolled away ---
  let current = null;
  function follow(jumped) {
    const now = audio.currentTime * 1000;
    $("[data-now]").textContent = written(audio.currentTime);
    const line = lines.filter((one) => Number(one.dataset.start) <= now + 50).pop() || null;
    if (line === current) return;
    current?.classList.remove("now");
    current?.removeAttribute("aria-current");
    line?.classList.add("now");
    line?.setAttribute("aria-current", "true");
    current = line;
    const scroller = line?.closest("[data-script]");
    if (scroller && scroller.scrollHeight > scroller.clientHeight + 4) {
      const top = line.offsetTop - scroller.offsetTop;
      const hidden = top < scroller.scrollTop || top + line.offsetHeight > scroller.scrollTop + scroller.clientHeight;
      if (hidden || jumped) scroller.scrollTop = top - scroller.clientHeight / 3;
    }
  }

  audio.addEventListener("timeupdate", () => follow(false));
  audio.addEventListener("play", shownState);
  audio.addEventListener("pause", shownState);
  play.addEventListener("click", toggle);
  $("[data-slower]").addEventListener("click", () => speed(-1));
  $("[data-faster]").addEventListener("click", () => speed(1));
  box.addEventListener("click", (event) => { const side = event.target.closest("[data-side]"); if (side) listenTo(side.dataset.side); });
  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-seek]");
    if (!at) return;
    seek(Number(at.dataset.seek));
    if (event.detail) at.blur(); // after a mouse click the space bar pauses instead of jumping back
  });

  const asked = Number(new URLSearchParams(location.search).get("at"));
  if (asked > 0) {
    audio.currentTime = asked / 1000;
    follow(true);
  }

  const keys = window.consoleKeys;
  keys?.set("Space", toggle);
  keys?.set("ArrowLeft", () => move(-3));
  keys?.set("ArrowRight", () => move(3));
  keys?.set("Shift+Comma", () => speed(-1));
  keys?.set("Shift+Period", () => speed(1));
  keys?.set("KeyC", () => {
    const line = current || document.activeElement?.closest?.("[data-start]") || lines[0];
    const words = line?.querySelector("[data-words]");
    if (!words) return false;
    audio.pause();
    words.open = true;
    words.querySelector("input[name=text]").select();
    return true;
  });
  keys?.set("KeyL", nextSide);
  keys?.set("KeyR", () => {
    const field = document.activeElement?.closest?.("[data-field]") || document.querySelector("[data-field].cur") || document.querySelector("[data-field]:has([data-seek])");
    const evidence = field?.querySelector("[data-seek]");
    evidence?.click();
    return Boolean(evidence);
  });
})();

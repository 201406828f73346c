// User actions: choose a person or an event, freeze, step, play; by pointer and by keyboard.

import { $ } from "./elements.js";
import { page, track, windowMs } from "./page.js";
import { Player } from "./player.js";
import { drawCurve, list, on, renderPanels, takeHello } from "./show.js";

const FREEZE_MS = 10_000;
const reduced = matchMedia("(prefers-reduced-motion: reduce)");

export function chooseStream(stream) {
  page.stream = stream;
  page.person = page.picked = page.pointed = null;
  if (!page.review) goLive();
  if (stream.hello) takeHello(stream);
  renderPanels();
}

function stopAt(from, to, t, window) {
  if (page.review) {
    page.player.playing = false;
    page.player.seek(t);
    page.frozen = null;
    page.window = window;
  } else {
    page.frozen = { track: page.stream.track.slice(from, to), pictures: page.stream.pictures.slice(from, to) };
    page.window = window;
    page.player = new Player({ from, to, t, loops: window !== null });
    page.player.speed = Number($("speed").value);
  }
}

// Go to the window that started an event. Play it, unless the user prefers reduced motion.
export function pick(event) {
  if (!page.stream) return;
  page.picked = event.key;
  page.pointed = event;
  const at = page.stream.track;
  if (page.review) page.stream.need(event.reported - windowMs(), event.reported);
  const [from, to] = at.windowOf(event, windowMs());
  stopAt(from, to, from, [from, to]);
  if (!page.review) page.player.playing = !reduced.matches;
  renderPanels();
  reveal(event);
}

// On a phone the list is below the canvas.
function reveal(event) {
  const { top, bottom } = $("canvas").getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) {
    document.querySelector(".view").scrollIntoView({ behavior: reduced.matches ? "auto" : "smooth", block: "start" });
  }
  list.reveal(event);
}

function freeze() {
  if (!page.stream || page.player) return;
  const to = page.stream.track.newest;
  if (to === -Infinity) return;
  const first = page.stream.track.frames[0]?.t ?? to;
  stopAt(Math.max(to - FREEZE_MS, first), to, to, null);
  renderPanels();
}

function goLive() {
  if (page.review) {
    page.window = page.picked = null;
    renderPanels();
    return;
  }
  page.player = page.frozen = page.window = page.picked = null;
  renderPanels();
}

export function step(count) {
  if (!page.player) return;
  page.player.playing = false;
  const frame = track()?.step(page.player.t, count);
  if (frame) page.player.seek(frame.t);
  renderPanels();
}

function point(event) {
  page.pointed = event;
  drawCurve();
}

function leave(event) {
  if (page.pointed === event) point(null);
}

Object.assign(on, { pick, point, leave });

$("person").addEventListener("change", ({ target }) => {
  page.person = target.value === "" ? null : Number(target.value);
  renderPanels();
});
$("freeze").addEventListener("click", () => {
  freeze();
  $("play").focus();
});
$("live").addEventListener("click", () => {
  goLive();
  $("freeze").focus();
});
$("play").addEventListener("click", () => {
  page.player?.toggle();
  renderPanels();
});
$("back").addEventListener("click", () => step(-1));
$("on").addEventListener("click", () => step(1));
$("speed").addEventListener("change", ({ target }) => {
  if (page.player) page.player.speed = Number(target.value);
});
$("place").addEventListener("input", ({ target }) => {
  if (!page.player) return;
  page.player.playing = false;
  page.player.seek(page.player.from + Number(target.value));
  renderPanels();
});

document.addEventListener("keydown", (pressed) => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
  const { target } = pressed;
  if (pressed.key === "Escape") goLive();
  else if (target.tagName === "SELECT") return;
  else if (pressed.key === " " && target.tagName !== "BUTTON" && target.tagName !== "A") {
    if (page.player) page.player.toggle();
    else freeze();
    renderPanels();
  } else if (page.player && (pressed.key === "ArrowLeft" || pressed.key === "ArrowRight")) {
    step((pressed.key === "ArrowLeft" ? -1 : 1) * (pressed.shiftKey ? 10 : 1));
  } else return;
  pressed.preventDefault();
});


// The onset and the offset of the chosen event as handles on the timeline: moved by arrow keys, or dragged.

import { made } from "./elements.js";

const SIDES = { start: "Onset", end: "Offset" };
// A handle that rests this long has been moved; until then it may go on.
const REST_MS = 600;
const COARSE = 10;

export class Edges {
  // on: {look(t): show a moment, step(t, count): the time so many frames later, moved(event, {start, end}),
  // text(t): a time in words, seconds(t): [it in seconds, the last one], time(): the playhead, left(event): the keyboard goes back to the event}
  constructor(timeline, on) {
    Object.assign(this, { timeline, on, event: null, timer: 0, isMoved: false });
    this.handles = Object.keys(SIDES).map((side) => this.makeHandle(side));
    addEventListener("pagehide", () => this.finish());
  }

  makeHandle(side) {
    const handle = made("div", `edge ${side}`);
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-valuemin", "0");
    handle.tabIndex = 0;
    handle.hidden = true;
    handle.dataset.side = side;
    handle.addEventListener("keydown", (pressed) => this.press(pressed, side));
    handle.addEventListener("blur", () => this.finish());
    handle.addEventListener("focus", () => this.on.look(this.event[side]));
    handle.addEventListener("pointerdown", (pressed) => this.grab(pressed, handle));
    handle.addEventListener("pointermove", ({ pointerId, clientX }) => {
      if (handle.hasPointerCapture(pointerId)) this.drag(side, clientX);
    });
    for (const kind of ["pointerup", "pointercancel"]) handle.addEventListener(kind, () => this.drop());
    return this.timeline.strip.appendChild(handle);
  }

  // event: the chosen one, or null.
  show(event) {
    if (event === this.event) return;
    this.finish();
    this.event = event;
    for (const handle of this.handles) handle.hidden = event === null;
  }

  focus(side) {
    this.handles.find((handle) => handle.dataset.side === side).focus({ preventScroll: true });
  }

  // Follow the block of the event; called each time that the timeline moves.
  place() {
    const { event, timeline } = this;
    const block = event && timeline.blocks.get(event.key)?.element;
    for (const handle of this.handles) {
      handle.hidden = !block;
      if (!block) continue;
      const t = event[handle.dataset.side] ?? event.start;
      handle.style.left = `${timeline.left(t)}px`;
      handle.style.top = block.style.top;
      if (handle.dataset.t === String(t)) continue;
      handle.dataset.t = String(t);
      handle.setAttribute("aria-label", `${SIDES[handle.dataset.side]} of ${event.label.name}`);
      const [now, most] = this.on.seconds(t);
      handle.setAttribute("aria-valuenow", now.toFixed(3));
      handle.setAttribute("aria-valuemax", most.toFixed(3));
      handle.setAttribute("aria-valuetext", this.on.text(t));
    }
  }

  move(side, t) {
    const { event } = this;
    if (!event) return;
    event[side] = side === "start" ? Math.min(t, event.end) : Math.max(t, event.start);
    event.open = false;
    this.isMoved = true;
    this.on.look(event[side]);
  }

  press(pressed, side) {
    const back = ["Escape", "Enter"].includes(pressed.key);
    const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: -COARSE, PageUp: COARSE }[pressed.key];
    if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || !(back || by)) return;
    pressed.preventDefault();
    pressed.stopPropagation();
    if (back) {
      this.finish();
      this.on.left(this.event);
      return;
    }
    this.move(side, this.on.step(this.event[side], pressed.shiftKey ? by * COARSE : by));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.finish(), REST_MS);
  }

  // While an edge is dragged, the timeline stands still and the canvas shows its moment.
  grab(pressed, handle) {
    pressed.stopPropagation();
    handle.setPointerCapture(pressed.pointerId);
    this.timeline.held = this.on.time();
    this.from = { x: pressed.clientX, t: this.event[handle.dataset.side] };
  }

  drag(side, x) {
    this.move(side, this.on.step(this.from.t + (x - this.from.x) / this.timeline.pxPerMs, 0));
  }

  drop() {
    this.timeline.held = null;
    this.finish();
  }

  // Hand a movement over, if there was one. Resolves when it is saved.
  async finish() {
    clearTimeout(this.timer);
    if (!this.isMoved) return;
    this.isMoved = false;
    await this.on.moved(this.event, { start: this.event.start, end: this.event.end });
  }
}

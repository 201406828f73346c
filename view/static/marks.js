// Where events are in the whole recording, on a canvas: above the timeline, and behind the scrubber.

import { OTHER, colorOf } from "./groups.js";

const LEAST_PX = 2;

export class Marks {
  // inset: room at both ends, px. onSeek(t): the pointer is at a time; null if marks are only shown.
  constructor(canvas, { inset = 0, onSeek = null }) {
    Object.assign(this, { canvas, inset, drawn: "", from: 0, to: 1 });
    if (!onSeek) return;
    const seek = ({ clientX }) => {
      const { left, width } = canvas.getBoundingClientRect();
      onSeek(this.from + Math.min(Math.max((clientX - left - inset) / (width - 2 * inset), 0), 1) * (this.to - this.from));
    };
    canvas.addEventListener("pointerdown", (pressed) => {
      canvas.setPointerCapture(pressed.pointerId);
      seek(pressed);
    });
    canvas.addEventListener("pointermove", (moved) => {
      if (canvas.hasPointerCapture(moved.pointerId)) seek(moved);
    });
  }

  // view: {from, to, events, lanes: body groups, revision, reviewed: [[from, to]], shown: [from, to] or null, head: t or null}
  // revision: identifies the events and the reviewed stretches.
  draw({ from, to, events, lanes, revision, reviewed, shown, head }) {
    const { canvas, inset } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    Object.assign(this, { from, to });
    const x = (t) => inset + ((t - from) / Math.max(to - from, 1)) * (width - 2 * inset);
    const state = [width, height, ratio, revision, shown?.map((t) => x(t).toFixed(1)), head === null ? "" : x(head).toFixed(1)].join();
    if (state === this.drawn || !width) return;
    this.drawn = state;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const bar = (start, end, top, thick, color) => {
      context.fillStyle = color;
      context.fillRect(x(start), top, Math.max(x(end) - x(start), LEAST_PX), thick);
    };
    const tall = (height - 5) / lanes.length;
    for (const [start, end] of reviewed) bar(start, end, height - 3, 3, style.getPropertyValue("--good"));
    for (const event of events) {
      context.globalAlpha = event.status === "rejected" ? 0.25 : 1;
      const body = event.label.body || OTHER;
      bar(event.start, event.end ?? to, 1 + lanes.indexOf(body) * tall, Math.max(tall, 2), colorOf(body));
    }
    context.globalAlpha = 1;
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 2;
    if (shown) context.strokeRect(Math.max(x(shown[0]), 1), 1, Math.min(x(shown[1]), width - 1) - Math.max(x(shown[0]), 1), height - 2);
    if (head !== null) bar(head, head, 0, height, style.getPropertyValue("--ink"));
  }
}

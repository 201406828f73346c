// Which part of the camera's picture is shown: the people in it, close enough to see a nod. Knows frames, draws nothing.

import { lastAt } from "./track.js";
import { extentOf } from "./figure.js";

// Whoever was seen within so long of the moment stays in view.
const AROUND_MS = 2500;
const SAMPLES = 12;
const MARGIN = 0.04; // of what people fill
// The view stands still as long as they fit and fill at least so much of it: a movement of the view hides theirs.
const LEAST_FILL = 0.55;
const MOST_SCALE = 6;
const NEARLY = 0.85;
const EASE_MS = 220;
const JUMP_MS = 1500;

// Of each person of each frame, once: the view is looked for anew in every turn.
const extents = new WeakMap();

const widthOf = (box) => box.right - box.left;
const heightOf = (box) => box.bottom - box.top;

function union(a, b) {
  return {
    left: Math.min(a.left, b.left), top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right), bottom: Math.max(a.bottom, b.bottom),
  };
}

const holds = (a, b) => a.left <= b.left && a.top <= b.top && a.right >= b.right && a.bottom >= b.bottom;

// What people fill around a moment, in the camera's pixels; null where nobody is seen. named: flat joints -> by name.
export function filled(track, t, person, named) {
  const { frames } = track;
  const [first, last] = [Math.max(lastAt(frames, t - AROUND_MS), 0), lastAt(frames, t + AROUND_MS)];
  let box = null;
  for (let n = 0; n <= SAMPLES && first <= last; n += 1) {
    const frame = frames[first + Math.round(((last - first) * n) / SAMPLES)];
    for (const [who, flat] of frame.people) {
      if (person !== null && who !== person) continue;
      if (!extents.has(flat)) extents.set(flat, extentOf(named(flat)));
      const extent = extents.get(flat);
      if (Number.isFinite(extent.left)) box = box ? union(box, extent) : extent;
    }
  }
  return box;
}

export class Aim {
  constructor() {
    this.box = this.goal = this.of = null;
  }

  // The box to show, {left, top, right, bottom} in the camera's pixels. wanted: what people fill, or null.
  // of: what is looked at; where it changes, or time jumps, the view goes there at once.
  update(wanted, [width, height], of, t, clock, still) {
    const whole = { left: 0, top: 0, right: width, bottom: height };
    const isNew = this.of !== of || Math.abs(t - this.t) > JUMP_MS;
    if (wanted) {
      const margin = MARGIN * Math.max(widthOf(wanted), heightOf(wanted));
      const roomy = {
        left: wanted.left - margin, top: wanted.top - margin, right: wanted.right + margin, bottom: wanted.bottom + margin,
      };
      const fills = this.goal && Math.max(widthOf(roomy) / widthOf(this.goal), heightOf(roomy) / heightOf(this.goal));
      if (isNew || !this.goal || !holds(this.goal, wanted) || fills < LEAST_FILL) {
        this.goal = widthOf(roomy) > NEARLY * width && heightOf(roomy) > NEARLY * height ? union(whole, wanted) : roomy;
      }
    } else if (isNew || !this.goal) this.goal = whole;
    const part = isNew || still || !this.box ? 1 : 1 - Math.exp(-(clock - this.clock) / EASE_MS);
    const near = {};
    for (const edge of ["left", "top", "right", "bottom"]) {
      const from = part === 1 ? this.goal[edge] : this.box[edge];
      const next = from + part * (this.goal[edge] - from);
      near[edge] = Math.abs(next - this.goal[edge]) < 0.002 * widthOf(this.goal) ? this.goal[edge] : next;
    }
    Object.assign(this, { box: near, of, t, clock });
    return near;
  }

  // Where a box stands on a canvas: {scale, x, y}, the camera's pixels times scale plus x and y.
  static place(box, width, height, margin) {
    const room = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
    const scale = Math.min(room.width / widthOf(box), room.height / heightOf(box), MOST_SCALE);
    return {
      scale,
      x: margin.left + room.width / 2 - (scale * (box.left + box.right)) / 2,
      y: margin.top + room.height / 2 - (scale * (box.top + box.bottom)) / 2,
    };
  }
}

// Chooses the part of the camera's view that is shown: the people, close enough to see a nod. Draws nothing.

import { lastAt } from "./track.js";
import { extentOf } from "./figure.js";

// People detected within this time of the moment stay in view.
const AROUND_MS = 2500;
const SAMPLES = 12;
const MARGIN = 0.04; // relative to the box of the people
// The view stays fixed while people fit in it and fill at least this part: if it moved, it would hide their movement.
const LEAST_FILL = 0.55;
const MOST_SCALE = 6;
const NEARLY = 0.85;
const EASE_MS = 220;
const JUMP_MS = 1500;

// Box of each person in each frame, computed once, since the view is chosen in every animation frame.
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

// Box of the people around a moment, in the camera's pixels; null without people. named: flat joints -> by name.
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

  // The box to show, {left, top, right, bottom} in the camera's pixels. wanted: box of the people, or null.
  // of: identifies the subject. If it changes, or time jumps, the view moves at once.
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

  // Position of a box on a canvas: {scale, x, y}; canvas pixels are the camera's pixels times scale plus x and y.
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

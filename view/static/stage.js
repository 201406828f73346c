// The people on the canvas, colored by the movement of their joints, faint where scores are low. Keeps no time.

import { Aim, filled } from "./aim.js";
import { extentOf } from "./figure.js";
import { GROUND, Pen } from "./pen.js";

// Speed of a joint at the end of the color scale, in sizes of its person per second.
const FULL_SPEED = 0.35;
const REST = 0.06;
const SPAN_MS = 110;
// Room for the tags above a person, and for the legend.
const MARGIN = { left: 14, top: 36, right: 14, bottom: 32 };
const PICTURE_MARGIN = { left: 14, top: 14, right: 14, bottom: 14 };
const LINE = 20;
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

// Size of a person: the diagonal of the bounding box of all joints.
function sizeOf(flat) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < flat.length; i += 3) {
    if (Number.isNaN(flat[i])) continue;
    left = Math.min(left, flat[i]);
    right = Math.max(right, flat[i]);
    top = Math.min(top, flat[i + 1]);
    bottom = Math.max(bottom, flat[i + 1]);
  }
  return Math.hypot(right - left, bottom - top);
}

// Movement of each joint, in [0, 1].
function motionOf(flat, before, seconds) {
  const motion = new Float32Array(flat.length / 3);
  if (!before || !(seconds > 0)) return motion;
  const size = sizeOf(flat);
  for (let v = 0; v < motion.length; v += 1) {
    const speed = Math.hypot(flat[3 * v] - before[3 * v], flat[3 * v + 1] - before[3 * v + 1]) / seconds / size;
    motion[v] = speed > 0 ? Math.min(Math.sqrt(Math.max(speed / FULL_SPEED - REST, 0)), 1) : 0;
  }
  return motion;
}

// Detected joints by name: {x, y, score, motion}; place: position of the camera's pixels on the canvas.
function named(flat, names, place = { scale: 1, x: 0, y: 0 }, motion = null) {
  const joints = {};
  names.forEach((name, v) => {
    if (Number.isNaN(flat[3 * v])) return;
    joints[name] = {
      x: flat[3 * v] * place.scale + place.x, y: flat[3 * v + 1] * place.scale + place.y,
      score: flat[3 * v + 2], motion: motion ? motion[v] : 0,
    };
  });
  return joints;
}

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.drawn = [];
    this.aim = new Aim();
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.max(Math.round(this.width * ratio), 1);
    this.canvas.height = Math.max(Math.round(this.height * ratio), 1);
    this.ratio = ratio;
    this.drawn = [];
  }

  // scene: {hello, layout, track, t, person, picture, stopped, tags: Map(person -> lines)}
  // Draws only if something changed. Returns the frame that is shown.
  draw(scene) {
    const { track, picture, person, tags, layout, hello } = scene;
    let frame = track?.frameAt(scene.t) ?? null;
    // A live picture gets the people found in that picture, not newer ones. If playback is stopped, the time is exact.
    if (picture && !scene.stopped) frame = track.frames.findLast((each) => each.frame === picture.head.frame) ?? frame;
    const box = hello && layout ? this.viewOf(scene, frame) : null;
    const state = [
      frame, frame?.people.size, picture, person, layout, hello, [...tags.values()].join(),
      box && [box.left, box.top, box.right, box.bottom].join(),
    ];
    if (state.every((each, i) => each === this.drawn[i])) return frame;
    this.drawn = state;
    const { context } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (!box) return frame;
    const place = Aim.place(box, this.width, this.height, picture ? PICTURE_MARGIN : MARGIN);
    this.drawGround(picture, picture ? [picture.head.width, picture.head.height] : hello.size, place);
    const past = frame ? track.frameAt(frame.t - SPAN_MS) : null;
    const pen = new Pen(context, picture !== null);
    for (const [who, flat] of frame?.people ?? []) {
      const motion = motionOf(flat, past?.people.get(who), past ? (frame.t - past.t) / 1000 : 0);
      const joints = named(flat, layout.joints, place, motion);
      context.globalAlpha = person === null || person === who ? 1 : 0.3;
      pen.draw(joints);
      this.drawTags(joints, tags.get(who) ?? (frame.people.size > 1 ? [`person ${who}`] : []));
    }
    context.globalAlpha = 1;
    return frame;
  }

  // The part of the camera's view that is shown: all of it if its picture is, else the people in it.
  viewOf({ track, picture, person, layout, hello, t }, frame) {
    if (picture) return { left: 0, top: 0, right: picture.head.width, bottom: picture.head.height };
    const wanted = frame ? filled(track, t, person, (flat) => named(flat, layout.joints)) : null;
    return this.aim.update(wanted, hello.size, `${hello.stream} ${hello.run} ${person} ${hello.size}`, t, performance.now(), stillness.matches);
  }

  drawGround(picture, [width, height], { scale, x, y }) {
    const { context } = this;
    const box = [x, y, width * scale, height * scale];
    context.beginPath();
    context.roundRect(...box, 6);
    context.fillStyle = `rgb(${GROUND})`;
    context.fill();
    if (picture) context.drawImage(picture.bitmap, ...box);
    context.lineWidth = 1;
    context.strokeStyle = "#2a3744";
    context.stroke();
  }

  // The events of a person are above the head, one line each; next to it if there is no room; else only the first line.
  drawTags(joints, lines) {
    const bounds = extentOf(joints);
    if (!lines.length || !Number.isFinite(bounds.left)) return;
    const { context } = this;
    context.font = "600 13px system-ui, sans-serif";
    const widest = (texts) => Math.max(...texts.map((text) => context.measureText(text).width)) + 16;
    let [width, height] = [widest(lines), lines.length * LINE + 4];
    let [left, top] = [(bounds.left + bounds.right) / 2 - width / 2, bounds.top - height - 8];
    if (top < 6 && lines.length > 1) {
      top = 40;
      if (bounds.right + width + 12 < this.width) left = bounds.right + 8;
      else if (bounds.left - width - 12 > 0) left = bounds.left - width - 8;
      else {
        lines = [`${lines[0]} +${lines.length - 1}`];
        [width, height] = [widest(lines), LINE + 4];
        [left, top] = [(bounds.left + bounds.right) / 2 - width / 2, bounds.top - height - 8];
      }
    }
    left = Math.min(Math.max(left, 4), this.width - width - 4);
    top = Math.max(top, 6);
    context.fillStyle = "#05090ddd";
    context.beginPath();
    context.roundRect(left, top, width, height, 12);
    context.fill();
    context.fillStyle = "#eef3f7";
    lines.forEach((text, n) => context.fillText(text, left + 8, top + 16.5 + n * LINE));
  }
}

export async function loadLayout(name) {
  const answer = await fetch(`/layouts/${encodeURIComponent(name)}`);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

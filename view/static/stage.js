// The skeletons on the canvas: joints tinted by how much they move and how sure the pose stage is. Draws; keeps no time.

const STOPS = [[91, 157, 255], [67, 211, 192], [255, 214, 90], [255, 112, 67]];
const SHADES = 24;
const LEVELS = 6;
// A joint that covers so much of its person's size in a second moves as much as can be shown.
const FULL_SPEED = 0.35;
const REST = 0.06;
const SPAN_MS = 110;
const SMALL = /thumb|finger|index|middle|ring|little|toe|heel|eye|ear|lip|nose_/;

// [shade][level] -> colour; made once, so that drawing makes no strings.
const COLOURS = Array.from({ length: SHADES }, (_, shade) => {
  const place = (shade / (SHADES - 1)) * (STOPS.length - 1);
  const first = Math.min(Math.floor(place), STOPS.length - 2);
  const mixed = STOPS[first].map((from, i) => Math.round(from + (place - first) * (STOPS[first + 1][i] - from)));
  return Array.from({ length: LEVELS }, (_, level) => `rgba(${mixed},${0.2 + (0.8 * level) / (LEVELS - 1)})`);
});

function colour(motion, score) {
  const level = Math.round(Math.min(Math.max(score, 0), 1) * (LEVELS - 1));
  return COLOURS[Math.round(motion * (SHADES - 1))][level];
}

// Of a person: the rectangle around all joints, and its diagonal.
function boundsOf(flat) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let i = 0; i < flat.length; i += 3) {
    if (Number.isNaN(flat[i])) continue;
    box.left = Math.min(box.left, flat[i]);
    box.right = Math.max(box.right, flat[i]);
    box.top = Math.min(box.top, flat[i + 1]);
    box.bottom = Math.max(box.bottom, flat[i + 1]);
  }
  box.size = Math.hypot(box.right - box.left, box.bottom - box.top);
  return box;
}

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.drawn = [];
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

  // scene: {hello, layout, track, t, person, picture, tags: Map(person -> text)}
  // Draws only what is not there already; returns the frame that is shown.
  draw(scene) {
    const { track, picture, person, tags, layout } = scene;
    let frame = track?.frameAt(scene.t) ?? null;
    // Over a picture stands who was found in it, not who was found since.
    if (picture) frame = track.frames.findLast((each) => each.frame === picture.head.frame) ?? frame;
    const state = [frame, frame?.people.size, picture, person, layout, scene.hello, [...tags.values()].join()];
    if (state.every((each, i) => each === this.drawn[i])) return frame;
    this.drawn = state;
    const { context } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    if (!scene.hello || !layout) return frame;
    this.place(picture ? [picture.head.width, picture.head.height] : scene.hello.size);
    this.drawGround(picture);
    const past = frame ? track.frameAt(frame.t - SPAN_MS) : null;
    for (const [who, flat] of frame?.people ?? []) {
      const before = past?.people.get(who);
      context.globalAlpha = person === null || person === who ? 1 : 0.3;
      this.drawPerson(flat, before, before ? (frame.t - past.t) / 1000 : 0, layout);
      this.drawTag(flat, tags.get(who) ?? (frame.people.size > 1 ? `person ${who}` : ""));
    }
    context.globalAlpha = 1;
    return frame;
  }

  // The camera's picture, whole, in the middle.
  place([width, height]) {
    const margin = 14;
    this.scale = Math.min((this.width - 2 * margin) / width, (this.height - 2 * margin) / height);
    this.box = [(this.width - width * this.scale) / 2, (this.height - height * this.scale) / 2, width * this.scale, height * this.scale];
  }

  drawGround(picture) {
    const { context, box } = this;
    context.beginPath();
    context.roundRect(...box, 6);
    context.fillStyle = "#131b24";
    context.fill();
    if (picture) context.drawImage(picture.bitmap, ...box);
    context.lineWidth = 1;
    context.strokeStyle = "#2a3744";
    context.stroke();
  }

  drawPerson(flat, before, seconds, layout) {
    const { context, scale } = this;
    const [left, top] = this.box;
    const { size } = boundsOf(flat);
    const V = flat.length / 3;
    const motion = new Float32Array(V);
    for (let v = 0; before && v < V; v += 1) {
      const speed = Math.hypot(flat[3 * v] - before[3 * v], flat[3 * v + 1] - before[3 * v + 1]) / seconds / size;
      motion[v] = speed > 0 ? Math.min(Math.sqrt(Math.max(speed / FULL_SPEED - REST, 0)), 1) : 0;
    }
    const thick = Math.min(Math.max((size * scale) / 150, 1.5), 4.5);
    context.lineCap = "round";
    for (const [joint, parent] of layout.bones) {
      const a = 3 * joint;
      const b = 3 * parent;
      if (Number.isNaN(flat[a]) || Number.isNaN(flat[b])) continue;
      context.strokeStyle = colour((motion[joint] + motion[parent]) / 2, Math.min(flat[a + 2], flat[b + 2]) * 0.75);
      context.lineWidth = layout.small[joint] ? thick * 0.55 : thick;
      context.beginPath();
      context.moveTo(left + flat[a] * scale, top + flat[a + 1] * scale);
      context.lineTo(left + flat[b] * scale, top + flat[b + 1] * scale);
      context.stroke();
    }
    for (let v = 0; v < V; v += 1) {
      if (Number.isNaN(flat[3 * v])) continue;
      context.fillStyle = colour(motion[v], flat[3 * v + 2]);
      context.beginPath();
      context.arc(left + flat[3 * v] * scale, top + flat[3 * v + 1] * scale, thick * (layout.small[v] ? 0.85 : 1.6), 0, 7);
      context.fill();
    }
  }

  drawTag(flat, text) {
    if (!text) return;
    const { context, scale, box } = this;
    const bounds = boundsOf(flat);
    if (!Number.isFinite(bounds.left)) return;
    context.font = "600 13px system-ui, sans-serif";
    const width = context.measureText(text).width + 16;
    const x = box[0] + ((bounds.left + bounds.right) / 2) * scale - width / 2;
    const left = Math.min(Math.max(x, 4), this.width - width - 4);
    const top = Math.max(box[1] + bounds.top * scale - 36, 6);
    context.fillStyle = "#05090ddd";
    context.beginPath();
    context.roundRect(left, top, width, 24, 12);
    context.fill();
    context.fillStyle = "#eef3f7";
    context.fillText(text, left + 8, top + 16.5);
  }
}

export async function loadLayout(name) {
  const answer = await fetch(`/layouts/${encodeURIComponent(name)}`);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  const layout = await answer.json();
  layout.small = layout.joints.map((joint) => SMALL.test(joint));
  return layout;
}

// Draws a person from joints: head with a face, neck, trunk, limbs, hands and feet. Draws only parts whose joints were
// detected, and keeps no state.

import { ARMS, LEGS, breadthOf, dot, headOf, minus, plus, span, trunkOf } from "./figure.js";

const STOPS = [[91, 157, 255], [67, 211, 192], [255, 214, 90], [255, 112, 67]];
export const GROUND = [19, 27, 36];
const SHADES = 24;
const LEVELS = 6;
// Opacity of a part's color: the trunk is fainter than the arms in front of it.
const STRENGTHS = { trunk: 0.34, limb: 0.62, line: 1 };
const FINGERS = ["thumb_tip", "index_tip", "middle_tip", "ring_tip", "little_tip"];
const PALM = 0.085;
const FINGER = 0.035;
const ROUND = 0.5523; // control points of a quarter circle as a Bezier curve

// [strength][shade][level] -> color. Made once, so that drawing makes no strings. A joint with a low score fades.
const COLORS = Object.fromEntries(
  Object.entries(STRENGTHS).map(([name, strength]) => [
    name,
    Array.from({ length: SHADES }, (_, shade) => {
      const place = (shade / (SHADES - 1)) * (STOPS.length - 1);
      const first = Math.min(Math.floor(place), STOPS.length - 2);
      const full = STOPS[first].map((from, i) => from + (place - first) * (STOPS[first + 1][i] - from));
      return Array.from({ length: LEVELS }, (_, level) => {
        const part = strength * (0.2 + (0.8 * level) / (LEVELS - 1));
        return `rgb(${full.map((own, i) => Math.round(GROUND[i] + part * (own - GROUND[i])))})`;
      });
    }),
  ]),
);

function color(strength, joints) {
  let motion = 0;
  let score = 1;
  for (const joint of joints) {
    motion += joint.motion / joints.length;
    score = Math.min(score, joint.score);
  }
  const level = Math.round(Math.min(Math.max(score, 0), 1) * (LEVELS - 1));
  return COLORS[strength][Math.round(motion * (SHADES - 1))][level];
}

// Draws on a canvas. seeThrough: outlines only, so that the camera picture below stays visible.
export class Pen {
  constructor(context, seeThrough) {
    Object.assign(this, { context, seeThrough });
  }

  draw(joints) {
    const head = headOf(joints);
    const breadth = breadthOf(joints, head);
    const trunk = trunkOf(joints, head, breadth);
    this.context.lineCap = this.context.lineJoin = "round";
    this.thin = Math.min(Math.max(breadth / 60, 1.2), 3);
    for (const limb of LEGS) this.limb(joints, limb, breadth);
    if (trunk) this.trunk(trunk, breadth);
    if (head && trunk) this.neck(head, trunk, breadth);
    if (head) this.head(head, joints);
    for (const limb of ARMS) this.limb(joints, limb, breadth);
    for (const side of ["left", "right"]) this.hand(joints, side, breadth);
  }

  // Fill the current path, with a rim that separates it from parts behind it.
  paint(strength, joints, fill = null) {
    const { context } = this;
    if (this.seeThrough) {
      context.strokeStyle = color("line", joints);
      context.lineWidth = this.thin;
      context.stroke();
      return;
    }
    context.fillStyle = fill ?? color(strength, joints);
    context.strokeStyle = `rgb(${GROUND})`;
    context.lineWidth = 2 * this.thin;
    if (!fill) context.stroke();
    context.fill();
  }

  line(joints, points, width = this.thin) {
    const { context } = this;
    context.strokeStyle = color("line", joints);
    context.lineWidth = width;
    context.beginPath();
    points.forEach((point) => context.lineTo(point.x, point.y));
    context.stroke();
  }

  limb(joints, [from, to, thickFrom, thickTo], breadth) {
    const [a, b] = [joints[from], joints[to]];
    if (!a || !b) return;
    if (this.seeThrough) {
      this.line([a, b], [a, b], 2 * this.thin);
      return;
    }
    this.capsule(a, b, thickFrom * breadth, thickTo * breadth);
    this.paint("limb", [a, b]);
  }

  // Add a Bezier curve to the current path.
  curve(...points) {
    this.context.bezierCurveTo(...points.flatMap(({ x, y }) => [x, y]));
  }

  capsule(a, b, radiusA, radiusB) {
    const angle = Math.atan2(b.y - a.y, b.x - a.x);
    this.context.beginPath();
    this.context.arc(a.x, a.y, radiusA, angle + Math.PI / 2, angle - Math.PI / 2);
    this.context.arc(b.x, b.y, radiusB, angle - Math.PI / 2, angle + Math.PI / 2);
    this.context.closePath();
  }

  trunk({ up, side, top, bottom, isBust, shoulders: [left, right], hips: [leftHip, rightHip], joints }, breadth) {
    const { context } = this;
    const nape = (sign) => plus(plus(top, up, 0.2 * breadth), side, 0.15 * sign * breadth);
    const drop = (point) => plus(point, up, -0.12 * breadth);
    context.beginPath();
    context.moveTo(nape(1).x, nape(1).y);
    this.curve(plus(nape(1), up, -0.13 * breadth), plus(left, up, 0.13 * breadth), drop(left));
    this.curve(plus(drop(left), up, -0.2 * breadth), plus(leftHip, up, 0.3 * breadth), leftHip);
    context.lineTo(rightHip.x, rightHip.y);
    this.curve(plus(rightHip, up, 0.3 * breadth), plus(drop(right), up, -0.2 * breadth), drop(right));
    this.curve(plus(right, up, 0.13 * breadth), plus(nape(-1), up, -0.13 * breadth), nape(-1));
    if (!isBust) context.closePath();
    let fill = null;
    if (isBust && !this.seeThrough) {
      // The part outside the picture fades.
      const own = color("trunk", joints);
      fill = context.createLinearGradient(top.x, top.y, bottom.x, bottom.y);
      fill.addColorStop(0.15, own);
      fill.addColorStop(1, own.replace("rgb(", "rgba(").replace(")", ",0)"));
    }
    if (isBust && this.seeThrough) this.line(joints, joints, 2 * this.thin);
    else this.paint("trunk", joints, fill);
  }

  neck(head, trunk, breadth) {
    const foot = plus(trunk.top, trunk.up, 0.04 * breadth);
    const under = plus(head.center, minus(head.chin, head.center), 0.55);
    if (this.seeThrough) return;
    this.capsule(under, foot, 0.24 * head.height, 0.27 * head.height);
    this.paint("trunk", trunk.joints, color("trunk", trunk.joints));
  }

  head({ up, side, height, center, crown, chin, halfWidth, eyes, mouth }, joints) {
    const { context } = this;
    const face = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"].map((name) => joints[name]).filter(Boolean);
    const [right, left] = [plus(center, side, halfWidth), plus(center, side, -halfWidth)];
    // An ear is at the edge of the head, behind it, or on it if the head is turned.
    const ears = [joints.left_ear, joints.right_ear].filter(Boolean);
    const aside = (ear) => dot(minus(ear, center), side) / halfWidth;
    for (const ear of ears.filter((each) => Math.abs(aside(each)) > 0.5)) {
      context.beginPath();
      this.oval(plus(ear, side, (Math.sign(aside(ear)) * 0.98 - aside(ear)) * halfWidth), 0.055 * height, 0.1 * height, up);
      this.paint("limb", face);
    }
    const bow = (0.5 * ROUND + 0.02) * height;
    const jaw = 0.2 * height;
    context.beginPath();
    context.moveTo(left.x, left.y);
    this.curve(plus(left, up, bow), plus(crown, side, -ROUND * halfWidth), crown);
    this.curve(plus(crown, side, ROUND * halfWidth), plus(right, up, bow), right);
    this.curve(plus(right, up, -bow), plus(chin, side, jaw), chin);
    this.curve(plus(chin, side, -jaw), plus(left, up, -bow), left);
    context.closePath();
    this.paint("limb", face);
    context.fillStyle = context.strokeStyle = color("line", face);
    context.lineWidth = this.thin;
    context.stroke();
    context.beginPath();
    for (const ear of ears.filter((each) => Math.abs(aside(each)) <= 0.5)) this.oval(ear, 0.045 * height, 0.085 * height, up);
    context.stroke();
    context.beginPath();
    for (const eye of [joints.left_eye, joints.right_eye]) if (eye) this.oval(eye, 0.04 * height, 0.03 * height, up);
    if (joints.upper_lip || joints.lower_lip) {
      // Its width follows the distance of the eyes, since both shrink when the head turns.
      const broad = Math.max(0.4 * span(joints.left_eye, joints.right_eye), 0.04 * height);
      this.oval(mouth, broad, Math.max(span(joints.upper_lip, joints.lower_lip) / 2, 0.016 * height), up);
    }
    if (this.seeThrough) context.stroke();
    else context.fill();
    const nose = [joints.nose_bridge ?? eyes, joints.nose, joints.nose_base].filter(Boolean);
    if (joints.nose) this.line(face, nose, 1.4 * this.thin);
  }

  // Add an ellipse to the current path.
  oval({ x, y }, across, along, up) {
    const turn = Math.atan2(up.x, -up.y);
    const wide = Math.max(across, 1);
    this.context.moveTo(x + wide * Math.cos(turn), y + wide * Math.sin(turn));
    this.context.ellipse(x, y, wide, Math.max(along, 1), turn, 0, 2 * Math.PI);
  }

  hand(joints, side, breadth) {
    const wrist = joints[`${side}_wrist`];
    const root = joints[`${side}_hand_root`] ?? wrist;
    if (!root) return;
    const tips = FINGERS.map((name) => joints[`${side}_${name}`]).filter(Boolean);
    for (const tip of tips) this.line([root, tip], [root, tip], Math.max(2 * FINGER * breadth * (this.seeThrough ? 0.4 : 1), 1));
    if (this.seeThrough) return;
    const knuckles = tips.length ? tips.reduce((sum, tip) => plus(sum, minus(tip, root), 0.45 / tips.length), root) : root;
    this.capsule(root, knuckles, 0.8 * PALM * breadth, PALM * breadth);
    this.paint("limb", tips.length ? [root, ...tips] : [root]);
  }
}

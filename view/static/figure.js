// Geometry of a drawn person: head, trunk and bounding box from joints, which it knows by name. Draws nothing (pen.js).

// A joint is {x, y, score, motion}: x and y in pixels of the canvas, score and motion in [0, 1].

// Radii at both ends, relative to the width of the shoulders. Parts further from the viewer come first.
export const LEGS = [
  ["left_hip", "left_knee", 0.2, 0.13], ["right_hip", "right_knee", 0.2, 0.13],
  ["left_knee", "left_ankle", 0.13, 0.085], ["right_knee", "right_ankle", 0.13, 0.085],
  ["left_ankle", "left_heel", 0.08, 0.08], ["right_ankle", "right_heel", 0.08, 0.08],
  ["left_heel", "left_big_toe", 0.08, 0.05], ["right_heel", "right_big_toe", 0.08, 0.05],
];
export const ARMS = [
  ["left_shoulder", "left_elbow", 0.145, 0.105], ["right_shoulder", "right_elbow", 0.145, 0.105],
  ["left_elbow", "left_wrist", 0.105, 0.07], ["right_elbow", "right_wrist", 0.105, 0.07],
];
// Relative to the height of a head from chin to crown: means of adults (anthropometry; ears from tragus to tragus).
const EARS = 0.64;
const EYES = 0.28;
const EYE_TO_MOUTH = 0.3;
const MOUTH_TO_CHIN = 0.19;
const NOSE_TO_MOUTH = 1.6;
const EYE_OVER_EAR = 0.07;
// Width of the shoulders relative to other lengths, for people seen from the side.
const BY_HEAD = 1.5;
const BY_TRUNK = 0.7;

export const plus = (a, b, times = 1) => ({ x: a.x + times * b.x, y: a.y + times * b.y });
export const minus = (a, b) => ({ x: a.x - b.x, y: a.y - b.y });
export const dot = (a, b) => a.x * b.x + a.y * b.y;
const length = (a) => Math.hypot(a.x, a.y);
export const span = (a, b) => (a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0);
const middle = (a, b) => (a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : (a ?? b ?? null));
const across = (a) => ({ x: -a.y, y: a.x });
// Whichever of a and -a is in the direction of b.
const toward = (a, b) => (dot(a, b) < 0 ? { x: -a.x, y: -a.y } : a);

function unit(a, otherwise) {
  const long = length(a);
  return long > 1e-6 ? { x: a.x / long, y: a.y / long } : otherwise;
}

// Position of the head, from its face; null if too little of it is detected. up, side: unit vectors; side points to the
// right of the image if up points up. height: from chin to crown, by the length that is foreshortened least.
export function headOf(joints) {
  const { left_eye: leftEye, right_eye: rightEye, left_ear: leftEar, right_ear: rightEar, nose } = joints;
  const eyes = middle(leftEye, rightEye);
  if (!eyes) return null;
  const lips = middle(joints.upper_lip, joints.lower_lip);
  const mouth = lips ?? (nose ? plus(eyes, minus(nose, eyes), NOSE_TO_MOUTH) : null);
  const height = Math.max(
    span(eyes, mouth) / EYE_TO_MOUTH, span(leftEye, rightEye) / EYES, span(leftEar, rightEar) / EARS,
  );
  if (height < 1) return null;
  // From ear to ear, and from mouth to eyes, weighted by their visible length.
  const flat = { x: 0, y: 0 };
  for (const [left, right] of [[leftEye, rightEye], [leftEar, rightEar]]) {
    if (left && right) Object.assign(flat, plus(flat, minus(left, right)));
  }
  const face = mouth ? minus(eyes, mouth) : { x: 0, y: -1 };
  const square = across(flat);
  const up = unit(plus(face, toward(square, face), 0.5), { x: 0, y: -1 });
  const side = across(up);
  const ears = leftEar && rightEar ? middle(leftEar, rightEar) : middle(leftEar ?? rightEar, eyes);
  const turned = dot(minus(eyes, ears), side);
  const center = plus(plus(ears, up, EYE_OVER_EAR * height), side, 0.2 * turned);
  const width = Math.max(0.35 + 0.15 * Math.min(Math.abs(turned) / height, 0.4), (0.52 * span(leftEar, rightEar)) / height);
  // Without lips, the chin follows the eyes, which a nod lowers relative to the ears.
  const lowered = dot(minus(eyes, ears), up) - EYE_OVER_EAR * height;
  const under = plus(plus(center, up, lowered - 0.48 * height), side, 0.5 * turned);
  const down = unit(minus(mouth ?? under, eyes), { x: -up.x, y: -up.y });
  return {
    up, side, height, center, eyes, mouth,
    halfWidth: width * height,
    crown: plus(center, up, 0.5 * height),
    chin: lips ? plus(lips, down, MOUTH_TO_CHIN * height) : under,
  };
}

// Width of the shoulders as if seen from the front.
export function breadthOf(joints, head) {
  const shoulders = middle(joints.left_shoulder, joints.right_shoulder);
  const hips = middle(joints.left_hip, joints.right_hip);
  const breadth = Math.max(
    span(joints.left_shoulder, joints.right_shoulder), BY_TRUNK * span(shoulders, hips), head ? BY_HEAD * head.height : 0,
  );
  if (breadth > 0) return breadth;
  return Math.max(...[...ARMS, ...LEGS].map(([from, to]) => span(joints[from], joints[to])), 8);
}

// Corners of the trunk: at the shoulders and the hips; of a bust if no hips are detected.
export function trunkOf(joints, head, breadth) {
  const { left_shoulder: left, right_shoulder: right } = joints;
  if (!left || !right) return null;
  const top = middle(left, right);
  const bothHips = joints.left_hip && joints.right_hip;
  const hips = bothHips ? middle(joints.left_hip, joints.right_hip) : null;
  const over = unit(across(minus(left, right)), { x: 0, y: -1 });
  const upward = head ? minus(head.center, top) : { x: 0, y: -1 };
  const up = hips ? unit(minus(top, hips), over) : toward(over, upward);
  const apart = minus(left, right);
  const square = across(up);
  const side = length(apart) > 0.4 * breadth ? unit(apart, square) : toward(square, apart);
  const thick = Math.max(0.22 * breadth - 0.5 * length(apart), 0) + 0.13 * breadth;
  const bottom = hips ?? plus(top, up, -0.85 * breadth);
  const waist = (hip, sign) => plus(hip ?? plus(bottom, side, 0.42 * sign * breadth), side, (hips ? 0.1 : 0) * sign * breadth);
  return {
    up, side, top, bottom, isBust: !hips,
    shoulders: [plus(left, side, thick), plus(right, side, -thick)],
    hips: [waist(hips && joints.left_hip, 1), waist(hips && joints.right_hip, -1)],
    joints: bothHips ? [left, right, joints.left_hip, joints.right_hip] : [left, right],
  };
}

// Bounding box of a person as drawn, which is larger than that of the joints: {left, top, right, bottom}.
export function extentOf(joints) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  const cover = (point) => {
    box.left = Math.min(box.left, point.x);
    box.right = Math.max(box.right, point.x);
    box.top = Math.min(box.top, point.y);
    box.bottom = Math.max(box.bottom, point.y);
  };
  Object.values(joints).forEach(cover);
  const head = headOf(joints);
  const trunk = trunkOf(joints, head, breadthOf(joints, head));
  if (head) [head.crown, head.chin, plus(head.center, head.side, head.halfWidth), plus(head.center, head.side, -head.halfWidth)].forEach(cover);
  if (trunk) [...trunk.shoulders, plus(trunk.top, minus(trunk.bottom, trunk.top), trunk.isBust ? 0.6 : 1)].forEach(cover);
  return box;
}

// Body groups: their order, their colors (set on elements as --group), and the body regions that each needs.
// Color is never the only carrier of information.

const COLORS = {
  head: "#2f86e0", body: "#d2691e", "upper limb": "#0f9d76", "lower limb": "#8a63d8",
  "head-hand": "#d6478a", "body-hand": "#b08a12", "leg-hand": "#5f7f95",
};
const FURTHER = ["#4d9a3a", "#c0504d", "#3a9db5", "#9a7b5a"];
const given = new Map(Object.entries(COLORS));
// Regions of the body that must be visible for labels of a group.
const NEEDS = {
  head: ["head"], body: ["trunk"], "upper limb": ["arms"], "lower limb": ["legs"],
  "head-hand": ["hands"], "body-hand": ["hands"], "leg-hand": ["hands", "legs"],
};

export const OTHER = "other";

export function colorOf(body) {
  if (!given.has(body)) given.set(body, FURTHER[(given.size - Object.keys(COLORS).length) % FURTHER.length]);
  return given.get(body);
}

export function paint(element, body) {
  element.style.setProperty("--group", colorOf(body || OTHER));
}

// Lanes of a model: groups of the labels that can be events, in the order of its labels.
export function lanesOf(hello) {
  const wanted = hello.labels.filter((_, i) => i !== hello.background && hello.on_thresholds[i] !== null);
  return [...new Set(wanted.map((label) => label.body || OTHER))];
}

// Why a group is hidden, such as "legs not visible"; "" if it is not. visible: regions; null if unknown.
export function hiddenBy(body, visible) {
  const missing = visible === null ? [] : (NEEDS[body] ?? []).filter((region) => !visible.includes(region));
  return missing.length ? `${missing.join(" and ")} not visible` : "";
}

// Body groups: their order, a colour for each, given to elements as --group, and what must be seen of a person for them.
// Text never stands on the colour alone.

const COLOURS = {
  head: "#2f86e0", body: "#d2691e", "upper limb": "#0f9d76", "lower limb": "#8a63d8",
  "head-hand": "#d6478a", "body-hand": "#b08a12", "leg-hand": "#5f7f95",
};
const FURTHER = ["#4d9a3a", "#c0504d", "#3a9db5", "#9a7b5a"];
const given = new Map(Object.entries(COLOURS));
// Regions that the pipeline wants in the picture before it says anything of a group.
const NEEDS = {
  head: ["head"], body: ["trunk"], "upper limb": ["arms"], "lower limb": ["legs"],
  "head-hand": ["hands"], "body-hand": ["hands"], "leg-hand": ["hands", "legs"],
};

export const OTHER = "other";

export function colourOf(body) {
  if (!given.has(body)) given.set(body, FURTHER[(given.size - Object.keys(COLOURS).length) % FURTHER.length]);
  return given.get(body);
}

export function paint(element, body) {
  element.style.setProperty("--group", colourOf(body || OTHER));
}

// The lanes of a model: the groups of what may be an event, in the order of its labels.
export function lanesOf(hello) {
  const wanted = hello.labels.filter((_, i) => i !== hello.background && hello.on_thresholds[i] !== null);
  return [...new Set(wanted.map((label) => label.body || OTHER))];
}

// Why nothing is said of a group, as "legs not visible"; "" where something is. visible: regions, or null: not known.
export function hiddenBy(body, visible) {
  const missing = visible === null ? [] : (NEEDS[body] ?? []).filter((region) => !visible.includes(region));
  return missing.length ? `${missing.join(" and ")} not visible` : "";
}

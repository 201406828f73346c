// Plots the score of one event's label over time, as SVG.

import { paint } from "./groups.js";

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 320;
const HEIGHT = 112;
const LOW = 46; // height if there are several
const LEFT = 22;
const BOTTOM = 18;

function svgElement(name, attributes, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// points: [t, score or null]; threshold: smoothed score at which an event starts, or null.
export function curve({ points, from, to, event, threshold, moment, now, isLow = false }) {
  const height = isLow ? LOW : HEIGHT;
  const x = (t) => LEFT + ((Math.min(Math.max(t, from), to) - from) / (to - from)) * (WIDTH - LEFT);
  const bottom = isLow ? 4 : BOTTOM;
  const y = (score) => (1 - Math.min(score, 1)) * (height - bottom - 4) + 4;
  const known = points.filter(([, score]) => score !== null);
  const highest = known.reduce((most, [, score]) => Math.max(most, score), 0);
  const svg = svgElement("svg", {
    viewBox: `0 0 ${WIDTH} ${height}`, role: "img", ...(isLow ? { class: "low" } : {}),
    "aria-label": `Score of ${event.label.name}: highest ${highest.toFixed(2)} in one window`,
  });
  paint(svg, event.label.body);
  const end = event.end ?? now;
  svg.append(
    svgElement("rect", { class: "span", x: x(event.start), width: Math.max(x(end) - x(event.start), 1), y: 4, height: y(0) - 4 }),
    svgElement("line", { class: "axis", x1: LEFT, x2: WIDTH, y1: y(0), y2: y(0) }),
    svgElement("text", { x: 0, y: y(1) + 8 }, "1"),
    svgElement("text", { x: 0, y: y(0) }, "0"),
  );
  if (!isLow) svg.append(svgElement("text", { x: x(event.start), y: height - 4 }, "onset"));
  if (!event.open && !isLow) svg.append(svgElement("text", { x: Math.max(x(end), x(event.start) + 36), y: height - 4 }, "offset"));
  if (threshold !== null) {
    svg.append(svgElement("line", { class: "threshold", x1: LEFT, x2: WIDTH, y1: y(threshold), y2: y(threshold) }));
  }
  // Where the label was not among the reported ones, the line has a gap.
  let path = "";
  points.forEach(([t, score], i) => {
    if (score !== null) path += `${i && points[i - 1][1] !== null ? "L" : "M"}${x(t).toFixed(1)} ${y(score).toFixed(1)}`;
  });
  if (path) svg.append(svgElement("path", { class: "curve", d: path }));
  for (const [t, score] of known) svg.append(svgElement("circle", { class: "dots", cx: x(t), cy: y(score), r: 2 }));
  if (moment !== null && moment >= from && moment <= to) {
    svg.append(svgElement("line", { class: "moment", x1: x(moment), x2: x(moment), y1: 4, y2: y(0) }));
  }
  return svg;
}

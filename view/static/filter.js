// Which events are shown: by label or body group, score, and decision. The person is chosen at the top of the page.

import { made } from "./elements.js";
import { OTHER } from "./groups.js";

const SCORES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
const DECISIONS = [["", "All events"], ["open", "Not yet decided"], ["done", "Decided"]];

export class Filter {
  // onChange(): another choice was made.
  constructor(onChange) {
    const select = (name, options) => {
      const element = made("select");
      element.setAttribute("aria-label", name);
      element.append(...options.map(([value, text]) => new Option(text, value)));
      element.addEventListener("change", onChange);
      return element;
    };
    this.label = select("Label shown", []);
    this.score = select("Lowest score shown", [["0", "Any score"], ...SCORES.map((score) => [String(score), `Score ≥ ${score}`])]);
    this.decision = select("Decisions shown", DECISIONS);
    this.elements = [this.label, this.score, this.decision];
  }

  // Offer the labels and body groups of these events.
  offer(events) {
    const labels = new Map(events.map(({ label }) => [label.name, label.body || OTHER]));
    const bodies = [...new Set(labels.values())].sort();
    const options = [["", "All labels"], ...bodies.map((body) => [`body ${body}`, body]), ...[...labels.keys()].sort().map((name) => [`label ${name}`, `– ${name}`])];
    const state = JSON.stringify(options);
    if (this.label.dataset.state === state) return;
    this.label.dataset.state = state;
    const chosen = this.label.value;
    this.label.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
  }

  passes({ label, score, status }) {
    const wanted = this.label.value;
    if (wanted && wanted !== `label ${label.name}` && wanted !== `body ${label.body || OTHER}`) return false;
    if (score !== null && score < Number(this.score.value)) return false;
    return !this.decision.value || (this.decision.value === "done") === Boolean(status);
  }
}

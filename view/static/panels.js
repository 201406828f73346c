// What stands beside the canvas: labels with bars, the events as a list, health. Fills elements; keeps no time.

import { since, seconds, wall } from "./clock.js";
import { paint } from "./groups.js";
import { described } from "./timeline.js";

const MOST_PEOPLE = 3;
const TOLD_OF_ONE = 5;
const TOLD_OF_MANY = 3;
const MOST_LISTED = 60;
const MOST_REVIEWED = 2000;

function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// said: [{person, label message or null}]; background: the name of "no action", or null.
export class Now {
  constructor(element) {
    this.element = element;
    this.shown = "";
  }

  update(said, background, hint) {
    const key = JSON.stringify([said.map(({ person, label }) => [person, label?.t]), hint]);
    if (key === this.shown) return;
    this.shown = key;
    if (!said.length) {
      this.element.replaceChildren(made("p", "quiet", hint));
      return;
    }
    const most = said.length > 1 ? TOLD_OF_MANY : TOLD_OF_ONE;
    this.element.replaceChildren(
      ...said.slice(0, MOST_PEOPLE).flatMap(({ person, label }) => [
        made("p", "who", `Person ${person}`),
        ...this.guesses(label, background, most),
      ]),
      ...(said.length > MOST_PEOPLE ? [made("p", "note", `and ${said.length - MOST_PEOPLE} more: choose a person`)] : []),
    );
  }

  guesses(label, background, most) {
    if (!label) return [made("p", "quiet", "no label yet: a window fills")];
    if (label.gated) return [made("p", "quiet", "still: nothing moves")];
    return label.top.slice(0, most).map((guess) => {
      const row = made("div", "guess");
      const name = made("span", guess.name === background ? "none" : "", guess.name);
      const bar = made("div", "bar");
      const filled = bar.appendChild(document.createElement("i"));
      filled.style.transform = `scaleX(${guess.score})`;
      if (guess.name !== background) paint(row, guess.body);
      row.append(name, made("b", "", guess.score.toFixed(2)), bar);
      return row;
    });
  }
}

export class EventList {
  // on: {pick(event), point(event or null)}; newestFirst: of a live stream.
  constructor(element, on) {
    Object.assign(this, { element, on, rows: new Map(), state: "" });
  }

  update(events, { person, picked, zero, newestFirst }) {
    const wanted = [...events.values()].filter((event) => person === null || event.person === person);
    wanted.sort((a, b) => (newestFirst ? b.start - a.start : a.start - b.start));
    const most = newestFirst ? MOST_LISTED : MOST_REVIEWED;
    const state = wanted.slice(0, most).map((event) => `${event.key}${event.end}${event.score}`).join() + picked;
    if (state === this.state) return;
    this.state = state;
    const rows = wanted.slice(0, most).map((event) => this.row(event, picked, zero));
    if (wanted.length > most) rows.push(made("li", "note", `and ${wanted.length - most} more`));
    if (!wanted.length) rows.push(made("li", "quiet", newestFirst ? "none yet" : "none"));
    const keys = new Set(wanted.map((event) => event.key));
    for (const key of this.rows.keys()) if (!keys.has(key)) this.rows.delete(key);
    // Rows that stay are moved, not made anew: the focus stays with them.
    const focused = document.activeElement;
    this.element.replaceChildren(...rows);
    if (focused && this.element.contains(focused)) focused.focus({ preventScroll: true });
  }

  row(event, picked, zero) {
    let row = this.rows.get(event.key);
    if (!row) {
      row = document.createElement("li");
      const button = row.appendChild(made("button"));
      button.type = "button";
      paint(button, event.label.body);
      button.append(document.createElement("i"), made("span", "what", event.label.name), made("span", "when"));
      button.addEventListener("click", () => this.on.pick(event));
      button.addEventListener("pointerenter", () => this.on.point(event));
      button.addEventListener("pointerleave", () => this.on.point(null));
      button.addEventListener("focus", () => this.on.point(event));
      button.addEventListener("blur", () => this.on.point(null));
      this.rows.set(event.key, row);
    }
    const button = row.firstChild;
    const lasted = event.open ? "lasts" : seconds(event.end - event.start);
    button.lastChild.textContent = `${zero ? since(event.start - zero, 1) : wall(event.start, 1)} · ${lasted}`;
    button.setAttribute("aria-label", described(event, zero));
    button.setAttribute("aria-pressed", String(event.key === picked));
    return row;
  }
}

// facts: [name, text, class or ""]
export class Health {
  constructor(element) {
    this.element = element;
    this.rows = new Map();
  }

  update(facts) {
    const names = new Set(facts.map(([name]) => name));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) {
        row.remove();
        this.rows.delete(name);
      }
    }
    for (const [name, text, tone] of facts) {
      let row = this.rows.get(name);
      if (!row) {
        row = this.element.appendChild(document.createElement("div"));
        row.append(made("dt", "", name), made("dd"));
        this.rows.set(name, row);
      }
      if (row.lastChild.textContent !== text) row.lastChild.textContent = row.lastChild.title = text;
      row.lastChild.className = tone ?? "";
    }
  }
}

// Less than half of the frames that came lately were processed.
export function isBehind(status) {
  return status.camera === "live" && status.dropped > 0 && status.fps_out < status.fps_in / 2;
}

const TONES = { live: "good", connecting: "warn", stalled: "warn", lost: "bad", ended: "" };

export function healthOf(status, silent, view) {
  if (!status) return [["Camera", "not heard of yet", ""]];
  const total = status.latency_ms.total;
  const facts = [
    ["Camera", silent ? "silent" : status.camera, silent ? "bad" : (TONES[status.camera] ?? "")],
    ["Frames", `${status.fps_out.toFixed(1)} of ${status.fps_in.toFixed(1)} fps`, isBehind(status) ? "warn" : ""],
    ["Dropped", status.dropped ? `${status.dropped} of ${status.frames + status.dropped}` : "0"],
    ["Latency", total ? `p50 ${total.p50.toFixed(0)} · p95 ${total.p95.toFixed(0)} ms` : "none yet"],
    ["Runtime", status.runtime],
    ["Subscribers", `${status.subscribers}`],
  ];
  if (view) facts.push(["Browsers", `${view.browsers}`]);
  if (view?.skipped) facts.push(["Skipped here", `${view.skipped} frames`]);
  if (view?.lost) facts.push(["Lost on the way", `${view.lost} messages`, "warn"]);
  if (status.record_error) facts.push(["Recording", status.record_error, "bad"]);
  facts.push(["Model", status.model]);
  return facts;
}

export function factsOf(summary) {
  const { hello } = summary;
  return [
    ["Source", hello.source],
    ["Length", since((summary.end_ns - summary.start_ns) / 1e6)],
    ["Frames", `${summary.frames}`],
    ...(summary.dropped ? [["Dropped", `${summary.dropped} of ${summary.frames + summary.dropped}`, "warn"]] : []),
    ["Model", hello.model],
    ["Pose", hello.pose],
    ["Began", new Date(summary.start_ns / 1e6).toLocaleString()],
    ["Ended", summary.reason ?? "cut off"],
  ];
}

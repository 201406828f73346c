// Panels next to the canvas: labels with bars, the list of events, health. Fills elements; keeps no time.

import { since, seconds, wall } from "./clock.js";
import { made, setText } from "./elements.js";
import { hiddenBy, paint } from "./groups.js";
import { offer } from "./pointing.js";

const MOST_PEOPLE = 3;
const LABELS_OF_ONE = 5;
const LABELS_OF_MANY = 3;
const MOST_LISTED = 60;
const MOST_REVIEWED = 2000;
// Recordings of videos that state no date begin in 1970.
const DATED_NS = 366 * 86_400e9;

// The score of an event; a person who added one gave none.
export const scoreText = ({ score }) => (score === null ? "added" : score.toFixed(2));

// An event in words. The name of a button begins with the text on it, which accessibility requires.
export function described(event, zero) {
  const at = zero !== null ? since(event.start - zero) : wall(event.start, 2);
  return [event.label.name, event.label.body, `person ${event.person}`, `from ${at}`, lasted(event), `score ${scoreText(event)}`, event.status]
    .filter(Boolean)
    .join(", ");
}

const lasted = (event) => (event.open ? "in progress" : `lasted ${seconds(event.end - event.start)}`);

// present: [{person, label: the newest one or null, events: those in progress}] of detected people.
// background: name of "no action", or null; lanes: body groups of the model.
export class Now {
  constructor(element) {
    this.element = element;
    this.shown = "";
  }

  update(present, { background, lanes, t, hint }) {
    const key = JSON.stringify([present.map(({ person, label, events }) => [person, label?.t, events.map((each) => [each.key, durationAt(each, t)])]), hint]);
    if (key === this.shown) return;
    this.shown = key;
    if (!present.length) {
      this.element.replaceChildren(made("p", "quiet", hint));
      return;
    }
    const most = present.length > 1 ? LABELS_OF_MANY : LABELS_OF_ONE;
    this.element.replaceChildren(
      ...present.slice(0, MOST_PEOPLE).flatMap(({ person, label, events }) => [
        made("h3", "who", `Person ${person}`),
        ...this.guesses(label, events, background, most, t),
        ...this.hidden(label, lanes),
      ]),
      ...(present.length > MOST_PEOPLE ? [made("p", "note", `and ${present.length - MOST_PEOPLE} more: choose a person`)] : []),
    );
  }

  // Events in progress, then other probable labels. Each score belongs to its own label.
  guesses(label, events, background, most, t) {
    const top = label?.top ?? [];
    const lasting = new Map(events.map((event) => [event.label.id, event]));
    const rows = [...events.map(({ label: { id } }) => top.find((each) => each.id === id) ?? lasting.get(id).label)];
    rows.push(...top.filter(({ id }) => !lasting.has(id)).slice(0, Math.max(most - rows.length, 0)));
    const notes = [];
    if (!label && !rows.length) notes.push(made("p", "quiet", "no label yet: the window is filling"));
    if (label?.gated) notes.push(made("p", "quiet", "still: nothing moves"));
    return [...rows.map((guess) => this.guess(guess, lasting.get(guess.id), background, label?.visible ?? null, t)), ...notes];
  }

  guess({ name, body, score }, event, background, visible, t) {
    const row = made("div", "guess");
    const what = made("span", name === background ? "none" : "", name);
    if (event) what.append(made("em", "", ` ${durationAt(event, t)}`));
    const why = hiddenBy(body, visible);
    if (why && !event) row.classList.add("masked");
    else if (name !== background) paint(row, body);
    const bar = made("div", "bar");
    bar.appendChild(document.createElement("i")).style.transform = `scaleX(${Math.min(score ?? 0, 1)})`;
    row.append(what, made("b", "", why && !event ? why : (score?.toFixed(2) ?? "")), bar);
    return row;
  }

  // Groups that are hidden, and why.
  hidden(label, lanes) {
    const reasons = new Map();
    for (const lane of lanes) {
      const why = hiddenBy(lane, label?.visible ?? null);
      if (why) reasons.set(why, [...(reasons.get(why) ?? []), lane]);
    }
    return [...reasons].map(([why, groups]) => made("p", "masked", `${groups.join(", ")}: ${why}`));
  }
}

// Duration of an event up to t.
const durationAt = (event, t) => seconds(Math.max(Math.min(event.end ?? t, t) - event.start, 0));

export class EventList {
  // on: {pick(event), point(event), leave(event)}; newestFirst: for a live stream.
  constructor(element, on) {
    Object.assign(this, { element, on, rows: new Map(), state: "" });
  }

  update(events, { person, picked, zero, newestFirst }) {
    const wanted = [...events.values()].filter((event) => person === null || event.person === person);
    wanted.sort((a, b) => (newestFirst ? b.start - a.start : a.start - b.start));
    const most = newestFirst ? MOST_LISTED : MOST_REVIEWED;
    const state = wanted.slice(0, most).map((event) => `${event.key}${event.end}${event.score}${event.revision ?? ""}`).join() + picked;
    if (state === this.state) return;
    this.state = state;
    const rows = wanted.slice(0, most).map((event) => this.row(event, picked, zero));
    if (wanted.length > most) rows.push(made("li", "note", `and ${wanted.length - most} more`));
    if (!wanted.length) rows.push(made("li", "quiet", newestFirst ? "none yet" : "none"));
    const keys = new Set(wanted.map((event) => event.key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      this.on.leave(row.event);
      this.rows.delete(key);
    }
    this.place(rows);
  }

  // Rows that stay are not touched, since a list that is filled again scrolls to its top and loses the focus.
  place(rows) {
    const wanted = new Set(rows);
    for (const row of [...this.element.children]) if (!wanted.has(row)) row.remove();
    let next = this.element.firstChild;
    for (const row of rows) {
      if (row === next) next = next.nextSibling;
      else this.element.insertBefore(row, next);
    }
  }

  // Scroll only the list to an event.
  reveal(event) {
    const row = this.rows.get(event.key);
    if (!row?.isConnected) return;
    const [list, own] = [this.element.getBoundingClientRect(), row.getBoundingClientRect()];
    if (own.top < list.top) this.element.scrollTop += own.top - list.top;
    else if (own.bottom > list.bottom) this.element.scrollTop += own.bottom - list.bottom;
  }

  row(event, picked, zero) {
    let row = this.rows.get(event.key);
    if (!row) {
      row = document.createElement("li");
      const button = row.appendChild(made("button"));
      button.type = "button";
      button.append(document.createElement("i"), made("span", "what"), made("span", "when"), made("span", "visually-hidden"));
      offer(button, event, this.on);
      row.event = event;
      this.rows.set(event.key, row);
    }
    const button = row.firstChild;
    paint(button, event.label.body);
    button.dataset.status = event.status ?? "";
    const [, what, when, more] = button.children;
    setText(what, event.label.name);
    when.textContent = ` ${zero !== null ? since(event.start - zero, 1) : wall(event.start, 1)} · ${event.open ? "in progress" : seconds(event.end - event.start)}`;
    more.textContent = [" ", event.label.body, `person ${event.person}`, `score ${scoreText(event)}`, event.status].filter(Boolean).join(", ");
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
      setText(row.lastChild, text);
      row.lastChild.title = text;
      row.lastChild.className = tone ?? "";
    }
  }
}

// Whether less than half of the recent frames were processed.
export function isBehind(status) {
  return status.camera === "live" && status.dropped > 0 && status.fps_out < status.fps_in / 2;
}

const TONES = { live: "good", connecting: "warn", stalled: "warn", lost: "bad", ended: "" };

// link: state of the connection between page and server.
export function healthOf(status, silent, view, link) {
  if (link === "lost") return [["Server", "gone", "bad"], ...(status ? [["Model", status.model]] : [])];
  if (!status) return [["Camera", "no status yet", ""]];
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
  if (view?.lost) facts.push(["Lost", `${view.lost} messages`, "warn"]);
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
    ...(summary.start_ns < DATED_NS ? [] : [["Started", new Date(summary.start_ns / 1e6).toLocaleString()]]),
    ["Ended", summary.reason ?? "cut off"],
  ];
}

// Events over time, with a lane for each body group. Only one element scrolls; the blocks in it keep their positions.

import { since, wall } from "./clock.js";
import { setText } from "./elements.js";
import { OTHER, paint } from "./groups.js";
import { described } from "./panels.js";
import { offer } from "./pointing.js";
import { lastAt } from "./track.js";

const ROW = 24;
const AXIS = 20;
// Rows of a lane; further simultaneous events share the last one.
const MOST_ROWS = 8;
const SECOND_PX = 44;
const LEAST_SPAN_MS = 8000;
const STEPS_MS = [100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];
const CLOSEST_MS = 1000;
const TICK_PX = 74;
// Lane of the markers of other programs, where there are some.
const MARKERS = "LSL markers";
// Markers closer to the next one than this have no text.
const LEAST_TEXT_PX = 16;
// Blocks this close to the visible range are placed before they scroll into view.
const MARGIN_MS = 5000;
// Browsers position elements exactly only within some millions of pixels.
const FAR_PX = 1e6;
const PLACE_EVERY_MS = 200;

export class Timeline {
  // on: {pick(event), point(event), leave(event)}
  constructor(lanes, track, strip, head, on) {
    Object.assign(this, { lanesElement: lanes, element: track, strip, head, on });
    this.lanes = [];
    this.blocks = new Map(); // key -> {element, event, row}
    this.ticks = new Map();
    this.groups = [];
    this.markers = new Map(); // marker -> element
    this.hasMarkers = false;
    this.shade = strip.appendChild(document.createElement("div"));
    this.shade.className = "window";
    this.current = null; // key of the block with the keyboard focus
    this.scale = 1; // how many times longer the span is than usual
    this.held = null; // the time that stays in place, while something is dragged
    this.decorate = () => {}; // places further elements of the strip
    new ResizeObserver(() => this.measure()).observe(track);
    track.addEventListener("keydown", (pressed) => this.move(pressed));
    this.measure();
  }

  measure() {
    this.width = this.element.clientWidth || 1;
    this.usual = Math.max((this.width / SECOND_PX) * 1000, LEAST_SPAN_MS);
    this.span = this.usual * this.scale;
    this.pxPerMs = this.width / this.span;
    this.step = STEPS_MS.find((step) => step * this.pxPerMs >= TICK_PX) ?? STEPS_MS[STEPS_MS.length - 1];
    this.base = null;
  }

  // Show a span that is `factor` times as long, of at most `most` ms.
  zoom(factor, most) {
    const span = Math.min(this.span * factor, Math.max(most, this.usual));
    this.scale = Math.max(span, CLOSEST_MS) / this.usual;
    this.measure();
  }

  setLanes(groups) {
    this.groups = groups;
    const lanes = this.hasMarkers ? [...groups, MARKERS] : groups;
    if (lanes.join() === this.lanes.map((lane) => lane.name).join()) return;
    this.lanes = lanes.map((name) => ({ name, rows: 1 }));
    this.arrange();
  }

  arrange() {
    let top = 0;
    this.masks = null;
    this.element.querySelectorAll(".row").forEach((row) => row.remove());
    this.lanesElement.replaceChildren(
      ...this.lanes.map((lane) => {
        lane.top = top;
        top += lane.rows * ROW;
        const row = document.createElement("div");
        row.className = "row";
        row.style.top = `${top - 1}px`;
        this.element.prepend(row);
        lane.row = row;
        const name = document.createElement("div");
        name.style.height = `${lane.rows * ROW}px`;
        paint(name, lane.name);
        name.append(document.createElement("i"), lane.name);
        lane.element = name;
        return name;
      }),
    );
    this.element.style.height = `${top + AXIS}px`;
    this.base = null;
  }

  // reasons: lane -> why it is hidden now, in words; "" if it is not.
  mask(reasons) {
    const masks = JSON.stringify([...reasons]);
    if (masks === this.masks) return;
    this.masks = masks;
    for (const lane of this.lanes) {
      const why = reasons.get(lane.name) ?? "";
      lane.element.classList.toggle("masked", why !== "");
      lane.element.title = lane.row.textContent = why;
    }
  }

  left(t) {
    return (t - this.base) * this.pxPerMs;
  }

  // view: {at, share, now, playhead, events, markers, person, window, picked, zero}
  // at: time at `share` of the width; now: end of events in progress.
  update(view) {
    if (this.hasMarkers !== view.markers.length > 0) {
      this.hasMarkers = !this.hasMarkers;
      this.setLanes(this.groups);
    }
    const from = view.at - this.span * view.share;
    const to = from + this.span;
    const clock = performance.now();
    const moved = this.base === null || Math.abs(this.left(from)) > FAR_PX;
    if (moved) this.base = from;
    const dirty = moved || clock - (this.placed ?? 0) > PLACE_EVERY_MS || this.seen !== view.events.size || this.marked !== view.picked;
    if (dirty) {
      Object.assign(this, { placed: clock, seen: view.events.size, marked: view.picked });
      this.placeTicks(from - this.step, to + this.step, view.zero, moved);
      this.placeBlocks(view, from - MARGIN_MS, to + MARGIN_MS, moved);
      this.placeMarkers(view.markers, from - MARGIN_MS, to + MARGIN_MS);
      this.shade.hidden = !view.window;
      if (view.window) {
        this.shade.style.left = `${this.left(view.window[0])}px`;
        this.shade.style.width = `${(view.window[1] - view.window[0]) * this.pxPerMs}px`;
      }
    }
    for (const block of this.blocks.values()) {
      if (block.event.open) block.element.style.width = `${Math.max((view.now - block.event.start) * this.pxPerMs, 8)}px`;
    }
    this.strip.style.transform = `translateX(${-this.left(from)}px)`;
    this.decorate();
    this.head.hidden = view.playhead === null;
    if (view.playhead !== null) this.head.style.transform = `translateX(${(view.playhead - from) * this.pxPerMs}px)`;
  }

  placeTicks(from, to, zero, moved) {
    const first = Math.ceil((from - zero) / this.step);
    const last = Math.floor((to - zero) / this.step);
    for (const [number, tick] of this.ticks) {
      if (moved || number < first || number > last) {
        tick.remove();
        this.ticks.delete(number);
      }
    }
    for (let number = first; number <= last; number += 1) {
      if (this.ticks.has(number)) continue;
      const t = zero + number * this.step;
      const tick = document.createElement("div");
      tick.className = "tick";
      tick.style.left = `${this.left(t)}px`;
      const text = tick.appendChild(document.createElement("span"));
      text.textContent = zero !== null ? (number < 0 ? "" : since(number * this.step, this.step < 1000 ? 1 : 0)) : wall(t, 0);
      this.strip.prepend(tick);
      this.ticks.set(number, tick);
    }
  }

  // A line through all lanes for each marker, and its text where there is room until the next one.
  placeMarkers(markers, from, to) {
    const first = lastAt(markers, from) + 1;
    const after = lastAt(markers, to) + 1;
    const shown = new Set(markers.slice(first, after));
    for (const [marker, element] of this.markers) {
      if (shown.has(marker)) continue;
      element.remove();
      this.markers.delete(marker);
    }
    for (let place = first; place < after; place += 1) {
      const marker = markers[place];
      const element = this.markers.get(marker) ?? this.makeMarker(marker);
      const room = ((markers[place + 1]?.t ?? Infinity) - marker.t) * this.pxPerMs;
      element.style.left = `${this.left(marker.t)}px`;
      element.firstChild.style.maxWidth = `${Math.min(room, this.width)}px`;
      element.firstChild.hidden = room < LEAST_TEXT_PX;
      element.firstChild.style.top = `${this.lanes.find((lane) => lane.name === MARKERS)?.top ?? 0}px`;
    }
  }

  makeMarker(marker) {
    const element = document.createElement("div");
    element.className = "marker";
    element.title = `${marker.source}: ${marker.text}`;
    element.appendChild(document.createElement("span")).textContent = marker.text;
    this.markers.set(marker, element);
    return this.strip.appendChild(element);
  }

  placeBlocks(view, from, to, moved) {
    const shown = [...view.events.values()].filter((event) => event.start < to && (event.end ?? view.now) > from);
    shown.sort((a, b) => a.start - b.start);
    const keys = new Set(shown.map((event) => event.key));
    for (const [key, block] of this.blocks) {
      if (!keys.has(key)) {
        this.on.leave(block.event);
        block.element.remove();
        this.blocks.delete(key);
      }
    }
    for (const block of this.blocks.values()) if (block.revision !== block.event.revision) block.row = undefined;
    this.order = shown;
    const rowOf = this.rows(shown, view.now);
    const needed = new Map(this.lanes.map((lane) => [lane, 1]));
    for (const event of shown) needed.set(this.laneOf(event), Math.max(needed.get(this.laneOf(event)) ?? 1, rowOf.get(event) + 1));
    const changed = this.lanes.filter((lane) => lane.rows < needed.get(lane));
    for (const lane of changed) lane.rows = needed.get(lane);
    if (changed.length) this.arrange();
    this.base ??= view.at - this.span * view.share;
    for (const event of shown) {
      const lane = this.laneOf(event);
      if (lane) this.placeBlock(event, lane, rowOf.get(event), view, moved || changed.length > 0);
    }
    if (!this.blocks.has(this.current)) this.current = shown.length ? shown[shown.length - 1].key : null;
    for (const [key, block] of this.blocks) block.element.tabIndex = key === this.current ? 0 : -1;
  }

  laneOf(event) {
    return this.lanes.find((each) => each.name === (event.label.body || OTHER));
  }

  // Event -> row of its lane in which no other event overlaps it. An event that is placed already keeps its row.
  rows(shown, now) {
    const taken = new Map(); // lane -> for each row, [start, end] of its events
    const given = new Map();
    const isFree = (spans, start, end) => spans.every(([from, to]) => to <= start || from >= end);
    const put = (event, row) => {
      const own = taken.get(this.laneOf(event)) ?? taken.set(this.laneOf(event), []).get(this.laneOf(event));
      const [start, end] = [event.start, event.open ? Infinity : event.end];
      const free = row ?? Array.from({ length: MOST_ROWS - 1 }, (_, n) => n).find((n) => isFree(own[n] ?? [], start, end)) ?? MOST_ROWS - 1;
      while (own.length <= free) own.push([]);
      own[free].push([start, end]);
      given.set(event, free);
    };
    const isKnown = (event) => this.blocks.get(event.key)?.row !== undefined;
    for (const event of shown) if (isKnown(event)) put(event, this.blocks.get(event.key).row);
    for (const event of shown) if (!isKnown(event)) put(event);
    return given;
  }

  placeBlock(event, lane, row, view, moved) {
    let block = this.blocks.get(event.key);
    const isNew = !block;
    if (isNew) {
      block = { element: this.makeBlock(event), event };
      this.blocks.set(event.key, block);
    }
    const { element } = block;
    element.classList.toggle("aside", view.person !== null && view.person !== event.person);
    element.setAttribute("aria-pressed", String(view.picked === event.key));
    const state = `${event.start} ${event.end} ${row} ${lane.top} ${event.revision}`;
    if (!isNew && !moved && block.state === state) return;
    block.state = state;
    Object.assign(block, { row, revision: event.revision });
    setText(element, event.label.name);
    paint(element, event.label.body);
    element.dataset.status = event.status ?? "";
    element.style.left = `${this.left(event.start)}px`;
    element.style.width = `${Math.max(((event.end ?? view.now) - event.start) * this.pxPerMs, 8)}px`;
    element.style.top = `${lane.top + row * ROW + 1}px`;
    element.classList.toggle("lasting", event.open);
    element.setAttribute("aria-label", described(event, view.zero));
  }

  makeBlock(event) {
    const element = document.createElement("button");
    element.type = "button";
    element.className = "block";
    offer(element, event, this.on);
    element.addEventListener("focus", () => {
      this.current = event.key;
    });
    return this.strip.appendChild(element);
  }

  move(pressed) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[pressed.key];
    const at = this.order?.findIndex((event) => event.key === this.current) ?? -1;
    if (!by || at < 0 || !pressed.target.classList.contains("block")) return;
    pressed.preventDefault();
    pressed.stopPropagation();
    const next = this.order[Math.min(Math.max(at + by, 0), this.order.length - 1)];
    const block = this.blocks.get(next.key);
    this.current = next.key;
    block.element.tabIndex = 0;
    block.element.focus({ preventScroll: true });
  }
}

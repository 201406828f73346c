// Corrects the events of a recording: what each key and button does, and what is shown afterwards.

import { described } from "./panels.js";
import { askCoder, askLabel } from "./chooser.js";
import { Corrections, savedState } from "./corrections.js";
import { Edges } from "./edges.js";
import { $, setText } from "./elements.js";
import { Filter } from "./filter.js";
import { OTHER, lanesOf } from "./groups.js";
import { Marks } from "./marks.js";
import { eventsOf, page, written, zero } from "./page.js";
import { list, renderPanels, timeline } from "./show.js";
import { Tools, kept, keep } from "./tools.js";
import { makeZoomable } from "./zoom.js";

const LONGEST_CODER = 100;
const NEAR_MS = 1000;
// Length of an event that is added, until its edges are set.
const ADDED_MS = 1000;
// The file holds edges to a millisecond: one may be half of that before its frame.
const WITHIN_MS = 0.51;

// All keys: what the button or the help says, and what is done. Those with `event` need a chosen event;
// those with `ofView` change only what is seen.
const ACTIONS = [
  { key: "n", text: "next", does: () => go(1) },
  { key: "p", text: "previous", does: () => go(-1) },
  { key: "c", text: "confirm", event: true, does: confirm },
  { key: "x", text: "reject", event: true, does: reject },
  { key: "l", text: "label", event: true, does: relabel },
  { key: "i", text: "onset here", event: true, does: (event, t) => moveEdge(event, "start", t) },
  { key: "o", text: "offset here", event: true, does: (event, t) => moveEdge(event, "end", t) },
  { key: "s", text: "onset ← →", event: true, does: () => edges.focus("start") },
  { key: "e", text: "offset ← →", event: true, does: () => edges.focus("end") },
  { key: "a", text: "add here", does: (_, t) => add(t) },
  { key: "r", text: "reviewed to here", does: (_, t) => review(t) },
  { key: "u", text: "undo", does: () => again("undo") },
  { key: "U", text: "redo", does: () => again("redo") },
  { key: "+", text: "closer", ofView: true, does: () => zoom.closer() },
  { key: "-", text: "farther", ofView: true, does: () => zoom.farther() },
  { key: "0", text: "all", ofView: true, does: () => zoom.all() },
];

let corrections = null; // of the coder who is known, in the open recording
let running = Promise.resolve();
let asking = null;
let revision = 0;
let tools, edges, filter, overview, scrubber, zoom;
let onCoder = () => {};

const coderName = () => corrections?.coder ?? kept("coder");
const chosen = () => eventsOf().get(page.picked) ?? null;
const say = (text, tone = "") => tools.say(text, tone);

// Make the elements, once. tellCoder(name): corrections of this coder are shown now; "" for none.
export function startCorrecting(tellCoder) {
  onCoder = tellCoder;
  filter = new Filter(refresh);
  tools = new Tools({ actions: ACTIONS, filters: filter.elements, run, changeCoder: introduced });
  const seek = (t) => {
    page.player.playing = false;
    page.player.seek(t);
    renderPanels();
  };
  overview = new Marks(tools.overview, { onSeek: seek });
  scrubber = new Marks(tools.scrubber, { inset: 8 });
  zoom = makeZoomable(timeline, { most: () => 2 * (page.player.to - page.player.from), time: () => page.player.t, seek });
  edges = new Edges(timeline, {
    look: seek,
    step: stepped,
    text: written,
    seconds: (t) => [(t - zero()) / 1000, (page.stream.to - zero()) / 1000],
    time: () => page.player.t,
    moved: (event, span) => decide(event, span),
    left: (event) => timeline.blocks.get(event.key)?.element.focus({ preventScroll: true }),
  });
  timeline.decorate = decorate;
}

// Show a recording that was opened, with the corrections of the coder, if one is known.
export async function correct(stream) {
  corrections = null;
  edges.show(null);
  if (coderName()) await begin(false);
  else onCoder("");
  refresh();
  tools.show({ coder: coderName() });
  if (!corrections) say(stream.people.length ? "choose an event with N, then confirm or correct it" : "nobody was seen");
}

// Load the corrections of the coder; ask for the name if it is unknown or changes.
async function begin(asks) {
  const { stream } = page;
  try {
    let name = coderName();
    if (asks) {
      name = await askCoder((await savedState(stream, "")).coders, name, LONGEST_CODER);
      if (!name) return;
      keep("coder", name);
    }
    const loaded = new Corrections(stream, name, { changed: refresh, said: say });
    await loaded.load();
    if (page.stream !== stream) return; // another one was opened meanwhile
    corrections = loaded;
    onCoder(name);
    refresh();
    say(corrections.state.locked, "bad");
  } catch (error) {
    say(error.message, "bad");
  }
}

// Ask who codes; once, however often a key is pressed.
function introduced() {
  asking ??= begin(true).finally(() => {
    asking = null;
  });
  return asking;
}

// Return the corrections, if decisions can be saved.
async function open() {
  if (!corrections) await introduced();
  if (!corrections) return null;
  if (!corrections.state.locked) return corrections;
  say(corrections.state.locked, "bad");
  return null;
}

// One action after another: each sees what the one before saved.
function run(action) {
  const t = page.stream?.hello ? here() : null; // of the picture at which a key was pressed
  const done = running.then(async () => {
    if (t === null) return;
    await edges.finish(); // an edge that was moved just now
    const event = chosen();
    if (action.event && !event) say("choose an event first, with N or P");
    else await action.does(event, t);
  });
  running = done.catch(() => {}); // the browser reports the error of `done`
  return done;
}

// What is shown changes with decisions, filters and the chosen event.
function refresh() {
  const { stream } = page;
  revision += 1;
  const events = corrections?.events ?? stream.reported;
  filter.offer([...events.values()]);
  stream.shown = new Map([...events].filter(([key, event]) => key === page.picked || filter.passes(event)));
  const bodies = [...events.values()].map(({ label }) => label.body || OTHER);
  timeline.setLanes([...new Set([...lanesOf(stream.hello), ...bodies])]);
  const decided = [...events.values()].filter(({ status }) => status).length;
  const until = corrections?.reviewedUntil ?? null;
  tools.show({
    coder: coderName(),
    count: `${decided} of ${events.size} decided${until === null ? "" : ` · reviewed until ${written(until)}`}`,
    canUndo: Boolean(corrections?.done.length), canRedo: Boolean(corrections?.undone.length),
  });
  renderPanels();
}

// Each time that the timeline moves.
function decorate() {
  const { stream, player } = page;
  const event = chosen();
  edges.show(event?.status === "rejected" ? null : event);
  edges.place();
  tools.enable(event !== null);
  const at = timeline.held ?? player.t;
  const view = {
    from: stream.from, to: stream.to, lanes: timeline.lanes.map(({ name }) => name), events: [...eventsOf().values()].filter(({ person }) => (page.person ?? person) === person),
    revision: `${stream.number} ${revision} ${page.person}`, reviewed: corrections?.reviewed ?? [],
  };
  overview.draw({ ...view, shown: [at - timeline.span / 2, at + timeline.span / 2], head: player.t });
  scrubber.draw({ ...view, shown: null, head: null });
}

// The time `count` recorded frames after the one at t; t if they are not loaded yet.
function stepped(t, count) {
  const isLoaded = page.stream.need(t - NEAR_MS, t + NEAR_MS);
  const frame = isLoaded ? page.stream.track.step(t + WITHIN_MS, count) : null;
  return frame ? frame.t : t;
}

const here = () => stepped(page.player.t, 0);

// Choose an event and go to its onset.
function choose(event) {
  page.picked = event.key;
  page.pointed = page.window = null;
  page.player.playing = false;
  page.player.seek(stepped(event.start, 0));
  refresh();
  list.reveal(event);
  setText($("announcements"), described(event, zero()));
}

function go(by) {
  const events = [...(corrections?.events ?? page.stream.reported).values()]
    .filter((event) => event === chosen() || (filter.passes(event) && (page.person ?? event.person) === event.person))
    .sort((a, b) => a.start - b.start || a.id - b.id);
  const at = events.indexOf(chosen());
  const next = at >= 0 ? events[at + by] : by > 0
    ? events.find(({ start }) => start >= page.player.t)
    : events.findLast(({ start }) => start < page.player.t);
  if (next) choose(next);
  else say(events.length ? `no ${by > 0 ? "later" : "earlier"} event is shown` : "no event is shown");
}

// Save what becomes of an event; an edge or a label that is not named stays.
async function decide(event, change) {
  const own = await open();
  if (own) await own.decide(event, event.status === "added" ? "added" : "changed", change);
  else if (corrections) corrections.take(corrections.state);
  else Object.assign(event, event.original);
}

async function confirm(event) {
  if (event.status === "changed" || event.status === "added") say(`this event was ${event.status} already; undo takes that back`);
  else await (await open())?.decide(event, "confirmed", event.original);
}

async function reject(event) {
  const own = await open();
  if (event.status === "added") await own?.remove(event);
  else await own?.decide(event, "rejected", event.original);
}

// Labels that a person may choose: the most probable ones at t first.
function labelsAt(t, person) {
  const { hello, track } = page.stream;
  const lanes = lanesOf(hello);
  const labels = hello.labels.filter(({ body }, i) => i !== hello.background && lanes.includes(body || OTHER));
  const probable = track.labelAt(t, person)?.top.map(({ id }) => id) ?? [];
  const place = ({ id }) => (probable.includes(id) ? probable.indexOf(id) : probable.length);
  return labels.sort((a, b) => place(a) - place(b));
}

async function relabel(event) {
  if (!(await open())) return;
  const answer = await askLabel(`Label of the event at ${written(event.start)}`, {
    labels: labelsAt(event.reported, event.person), current: event.label.name, people: [event.person], person: event.person,
  });
  if (answer) await decide(event, { label: answer.label });
}

async function moveEdge(event, side, t) {
  const other = side === "start" ? event.end : event.start;
  if (side === "start" ? t > other : t < other) say(`here is ${side === "start" ? "after the offset" : "before the onset"}`);
  else await decide(event, { [side]: t });
}

async function add(start) {
  const { people, to } = page.stream;
  if (!people.length) {
    say("nobody was seen in this recording");
    return;
  }
  const own = await open();
  if (!own) return;
  const person = page.person ?? chosen()?.person ?? people[0];
  const answer = await askLabel(`New event at ${written(start)}`, {
    labels: labelsAt(start, person), current: "", people: page.person === null ? people : [person], person,
  });
  if (!answer) return;
  const event = { id: own.nextId(), person: answer.person, label: answer.label, start, end: Math.min(start + ADDED_MS, to) };
  if (await own.decide(event, "added")) choose(own.kept.get(event.id));
}

async function review(t) {
  const own = await open();
  if (!own) return;
  const saved = await own.reviewUntil(t);
  if (saved === null) say(`reviewed until ${written(own.reviewedUntil)} already`);
  if (!saved) return;
  const left = [...own.events.values()].filter(({ status, start }) => !status && start < t).length;
  if (left) say(`saved; ${left} ${left === 1 ? "event" : "events"} before here not decided: counted as right`, "good");
}

async function again(which) {
  const change = await (await open())?.[which]();
  const event = change && corrections.kept.get(change.event_id);
  if (event && corrections.events.has(event.key)) choose(event);
}

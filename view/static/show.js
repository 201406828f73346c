// From the page's state to what is seen: the canvas and the timeline each turn, all else a few times a second.

import { since, wall } from "./clock.js";
import { curve } from "./curve.js";
import { hiddenBy, lanesOf } from "./groups.js";
import { $, eventsOf, isLive, isSilent, page, timeShown, track, windowMs, written, zero } from "./page.js";
import { EventList, Health, Now, factsOf, healthOf, isBehind } from "./panels.js";
import { Stage, loadLayout } from "./stage.js";
import { Timeline } from "./timeline.js";

const SLOW_MS = 200;
// The timeline moves by a pixel or two each time; oftener would only cost.
const SCROLL_MS = 25;
// An event that lasts is drawn no further than to where the stream was heard.
const UNHEARD_MS = 300;
const CURVE_BEFORE_MS = 2500;
const CURVE_AFTER_MS = 2000;
const MOST_CURVES = 3;

// What choosing an event and pointing at one do; actions.js says.
export const on = { pick: () => {}, point: () => {}, leave: () => {} };
const stage = new Stage($("canvas"));
const timeline = new Timeline($("lanes"), $("track"), $("strip"), $("head"), on);
const now = new Now($("now"));
export const list = new EventList($("events"), on);
const health = new Health($("health"));

export function fillPicker(select, options, chosen) {
  const state = JSON.stringify([options, chosen]);
  if (select.dataset.state === state) return;
  select.dataset.state = state;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

// What a stream is of says which lanes there are, and how its joints hang together.
export async function greet(stream) {
  const { layout } = stream.hello;
  if (stream === page.stream) timeline.setLanes(lanesOf(stream.hello));
  if (page.layouts.has(layout)) return;
  page.layouts.set(layout, null);
  try {
    page.layouts.set(layout, await loadLayout(layout));
  } catch {
    page.layouts.delete(layout);
  }
}

function tagsAt(t) {
  const tags = new Map();
  const several = (page.stream?.people.length ?? 0) > 1;
  for (const event of page.stream?.track.eventsAt(t) ?? []) {
    if (event.begun > t + windowMs()) continue;
    if (!tags.has(event.person)) tags.set(event.person, []);
    tags.get(event.person).push(`${several ? `${event.person}: ` : ""}${event.label.name} ${event.score.toFixed(2)}`);
  }
  return tags;
}

// Who is seen at t, or was spoken of: {person, label, events} of each who is wanted.
function saidAt(t) {
  const at = track();
  const seen = new Set(at?.frameAt(t)?.people.keys());
  const people = page.review || page.player ? [...new Set([...page.stream.people, ...seen])] : page.stream.people;
  const wanted = page.person === null ? people : [page.person];
  return wanted
    .map((person) => ({ person, label: at?.labelAt(t, person) ?? null, events: page.stream.track.eventsAt(t, person) }))
    .filter(({ person, label, events }) => label || events.length || seen.has(person))
    .sort((a, b) => a.person - b.person);
}

// Why Now is empty.
function nothingSaid(t) {
  if (!page.player && !isLive(page.stream)) return "nothing is heard now";
  const at = track();
  if (page.person !== null && at?.frameAt(t)?.people.size) return "this person is not seen";
  return page.player && at?.frames.length && !at.frameAt(t) ? "nothing was recorded here" : "nobody is seen";
}

function banner() {
  const { stream } = page;
  if (page.review) return page.why || (stream?.failed ?? "");
  if (page.link !== "live") return page.link === "connecting" ? "" : `${page.why || "The server is gone"}; trying again`;
  if (!stream) return "Nothing has been heard yet";
  if (page.frozen && !page.frozen.track.frames.length) return "No skeletons of that time are kept: it lies too far back, or before this page was opened";
  if (stream.end) return `The stream ended: ${stream.end.reason}`;
  const status = stream.status;
  if (isSilent(stream)) return "The sender says nothing, not even its status";
  if (status && status.camera !== "live" && status.camera !== "ended") {
    const why = status.camera_error ? `: ${status.camera_error}` : "";
    return `Camera ${status.camera}${why}; it is opened again by itself`;
  }
  if (!stream.skeletons && stream.track.labels.length) return "No skeletons come: the sender must serve with --skeletons";
  return "";
}

export function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

// What need not follow every frame.
export function slowly() {
  const { stream, player } = page;
  const t = timeShown();
  showLink();
  say($("banner"), banner());
  say($("tag"), player && stream ? `${page.review ? "recording" : "frozen"} · ${wall(player.t, 3)}` : "");
  $("video").hidden = !page.view?.video;
  $("canvas").classList.toggle("past", !player && !page.review && stream !== null && !isLive(stream));
  $("transport").className = `transport${player ? " stopped" : ""}${page.frozen || page.window ? " frozen" : ""}`;
  $("live").textContent = page.review ? "Leave the window" : "Back to live";
  if (player) {
    $("play").textContent = player.playing ? "Pause" : "Play";
    $("place").max = String(player.to - player.from);
    $("place").value = String(player.t - player.from);
    const place = page.review ? since(player.t - player.from) : wall(player.t, 3);
    $("place").setAttribute("aria-valuetext", place);
    $("time").textContent = page.review ? `${place} of ${since(player.to - player.from)}` : place;
  }
  if (!stream) return;
  const people = page.review ? stream.people : [...new Set([...stream.people, ...(page.person === null ? [] : [page.person])])];
  fillPicker(
    $("person"),
    [["", "Everybody"], ...people.map((person) => [String(person), `Person ${person}`])],
    page.person === null ? "" : String(page.person),
  );
  const said = player || isLive(stream) ? saidAt(t) : [];
  const background = stream.hello?.background ?? null;
  const lanes = stream.hello ? lanesOf(stream.hello) : [];
  now.update(said, {
    background: background === null ? null : stream.hello.labels[background].name, lanes, t, hint: nothingSaid(t),
  });
  timeline.mask(new Map(lanes.map((lane) => [lane, hiddenOfAll(lane, said)])));
  list.update(eventsOf(), { person: page.person, picked: page.picked, zero: zero(), newestFirst: !page.review });
  health.update(page.review ? factsOf(stream.summary) : healthOf(stream.status, isSilent(stream), page.view, page.link));
  drawCurve();
}

// Why nothing is said of a group, of anybody.
function hiddenOfAll(lane, said) {
  const reasons = said.filter(({ label }) => label).map(({ label }) => hiddenBy(lane, label.visible));
  return reasons.every(Boolean) ? (reasons[0] ?? "") : "";
}

function showLink() {
  const { stream } = page;
  let [text, tone] = ["connecting", ""];
  if (page.review) [text, tone] = ["recording", ""];
  else if (page.link === "lost") [text, tone] = ["reconnecting", "bad"];
  else if (page.link === "live" && stream?.end) text = "ended";
  else if (page.link === "live" && stream && isSilent(stream)) [text, tone] = ["silent", "bad"];
  else if (page.link === "live" && stream?.status && stream.status.camera !== "live") [text, tone] = [`camera ${stream.status.camera}`, "warn"];
  else if (page.link === "live" && stream?.status && isBehind(stream.status)) [text, tone] = ["too slow: frames are dropped", "warn"];
  else if (page.link === "live" && stream) [text, tone] = ["live", "good"];
  const element = $("link");
  if (element.textContent !== text) element.textContent = text;
  element.className = `pill ${tone}`;
}

// The events whose scores are shown: the one pointed at, else the chosen one, else what happens, or happened last.
function scored() {
  const known = eventsOf();
  const one = page.pointed ?? known.get(page.picked);
  if (one) return [one];
  const running = page.stream.track.eventsAt(timeShown(), page.person).slice(-MOST_CURVES);
  if (running.length || page.player) return running;
  let last = null;
  for (const event of known.values()) {
    if ((page.person ?? event.person) === event.person && (!last || event.start >= last.start)) last = event;
  }
  return last ? [last] : [];
}

export function drawCurve() {
  const { stream } = page;
  const events = stream?.hello ? scored() : [];
  const moment = page.player ? page.player.t : null;
  const drawn = events.map((event) => scoreOf(event, moment, events.length > 1));
  const state = drawn.map(({ key }) => key).join() || "none";
  if (page.curve === state) return;
  page.curve = state;
  if (drawn.length) {
    $("event").replaceChildren(...drawn.flatMap(({ draw }) => draw()));
    return;
  }
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = "Point at an event to see its score; choose it to step through the window that caused it.";
  $("event").replaceChildren(note);
}

// One event's score around it: {key: what is to be seen, in a string, draw: its elements}.
function scoreOf(event, moment, isOfSeveral) {
  const { stream } = page;
  const at = page.frozen?.track ?? stream.track;
  const end = event.end ?? stream.track.newest;
  const [from, to] = [event.start - CURVE_BEFORE_MS, Math.max(end, event.begun) + CURVE_AFTER_MS];
  if (page.review) stream.need(from, to);
  const points = at.curve(event.person, event.label.id, from, to);
  const draw = () => {
    const index = stream.hello.labels.findIndex((label) => label.id === event.label.id);
    const title = document.createElement("h3");
    title.textContent = [event.label.name, event.label.body].filter(Boolean).join(" · ");
    const words = document.createElement("p");
    words.className = "note";
    const span = `${written(event.start)} – ${event.open ? "now" : written(event.end)}`;
    words.textContent = `${span} · person ${event.person} · ${event.score.toFixed(2)}`;
    if (isOfSeveral) {
      [title.className, words.className] = ["low", "note low"];
      title.textContent = event.label.name;
      words.textContent = stream.people.length > 1 ? `${span} · person ${event.person}` : span;
    }
    const drawing = curve({
      points, from, to, event, moment, now: end, isLow: isOfSeveral,
      threshold: index < 0 ? null : stream.hello.on_thresholds[index],
    });
    return [title, words, drawing];
  };
  return { key: `${event.key} ${event.end} ${points.length} ${moment} ${isOfSeveral}`, draw };
}

function describeCanvas(frame) {
  const count = frame?.people.size ?? 0;
  const isPast = !page.player && !isLive(page.stream);
  const who = `Skeleton${count > 1 ? "s" : ""} of ${count} ${count > 1 ? "people" : "person"}`;
  const text = count === 0 ? "Nobody is seen" : isPast ? `Seen last: ${who.toLowerCase()}` : who;
  if ($("canvas").getAttribute("aria-label") !== text) $("canvas").setAttribute("aria-label", text);
}

let before = performance.now();
let slowAt = 0;
let scrolledAt = 0;

export function turn(at) {
  requestAnimationFrame(turn);
  const { stream, player } = page;
  player?.advance(at - before);
  before = at;
  if (page.review && player) stream?.need(player.t, player.t + 500);
  const t = timeShown();
  const pictures = player ? page.frozen?.pictures : stream?.pictures;
  const frame = stage.draw({
    hello: stream?.hello, layout: page.layouts.get(stream?.hello?.layout), track: track(), t, person: page.person, picture: pictures?.at(t) ?? null,
    tags: tagsAt(t), stopped: player !== null,
  });
  // Before its first frame a stream has no time.
  if (stream?.hello && Number.isFinite(stream.track.newest) && at - scrolledAt > SCROLL_MS) {
    scrolledAt = at;
    const playing = player !== null;
    timeline.update({
      at: playing ? t : stream.now(), share: playing ? 0.5 : 0.97, now: page.review ? stream.to : Math.min(stream.now(), stream.track.newest + UNHEARD_MS),
      playhead: playing ? t : null, events: eventsOf(), person: page.person, window: page.window ?? null,
      picked: page.picked, zero: zero(),
    });
  }
  if (at - slowAt > SLOW_MS) {
    slowAt = at;
    describeCanvas(frame);
    slowly();
  }
}


// Renders the state of the page: canvas and timeline in each animation frame, all else a few times per second.

import { since, wall } from "./clock.js";
import { curve } from "./curve.js";
import { $, made, setText } from "./elements.js";
import { hiddenBy, lanesOf } from "./groups.js";
import { eventsOf, isLive, isSilent, page, timeShown, track, windowMs, written, zero } from "./page.js";
import { EventList, Health, Now, factsOf, healthOf, isBehind, scoreText } from "./panels.js";
import { Profiles } from "./profile.js";
import { Stage, loadLayout } from "./stage.js";
import { Timeline } from "./timeline.js";

const SLOW_MS = 200;
// The timeline moves by a pixel or two each time; more often would be wasted.
const SCROLL_MS = 25;
// An event in progress is drawn up to the last message of the stream.
const MOST_AHEAD_MS = 300;
const CURVE_BEFORE_MS = 2500;
const CURVE_AFTER_MS = 2000;
const MOST_CURVES = 3;

// Actions on events: choose, point at, leave. Set by actions.js.
export const on = { pick: () => {}, point: () => {}, leave: () => {} };
const stage = new Stage($("canvas"));
export const timeline = new Timeline($("lanes"), $("track"), $("strip"), $("head"), on);
const now = new Now($("now"));
export const list = new EventList($("events"), on);
const health = new Health($("health"));
const profiles = new Profiles($("profile"), $("profile-note"), $("profiles"));

export function fillPicker(select, options, chosen) {
  const state = JSON.stringify([options, chosen]);
  if (select.dataset.state === state) return;
  select.dataset.state = state;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

// Take the hello of a stream: it determines the lanes and the layout of joints.
export async function takeHello(stream) {
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
    if (event.reported > t + windowMs()) continue;
    if (!tags.has(event.person)) tags.set(event.person, []);
    tags.get(event.person).push(`${several ? `${event.person}: ` : ""}${event.label.name} ${scoreText(event)}`);
  }
  return tags;
}

// People detected or labeled at t, if they are selected: {person, label, events} of each.
function stateAt(t) {
  const at = track();
  const seen = new Set(at?.frameAt(t)?.people.keys());
  const people = page.review || page.player ? [...new Set([...page.stream.people, ...seen])] : page.stream.people;
  const wanted = page.person === null ? people : [page.person];
  return wanted
    .map((person) => ({ person, label: at?.labelAt(t, person) ?? null, events: page.stream.track.eventsAt(t, person) }))
    .filter(({ person, label, events }) => label || events.length || seen.has(person))
    .sort((a, b) => a.person - b.person);
}

// Why the panel "Now" is empty.
function hintAt(t) {
  if (!page.player && !isLive(page.stream)) return "no messages now";
  const at = track();
  if (page.person !== null && at?.frameAt(t)?.people.size) return "this person is not detected";
  return page.player && at?.frames.length && !at.frameAt(t) ? "nothing was recorded here" : "nobody is detected";
}

function banner() {
  const { stream } = page;
  if (page.review) return page.why || (stream?.failed ?? "");
  if (page.link !== "live") return page.link === "connecting" ? "" : `${page.why || "The server is gone"}; reconnecting`;
  if (!stream) return "No messages yet";
  if (page.frozen && !page.frozen.track.frames.length) return "No skeletons of that time are kept: it is too long ago, or before this page was opened";
  if (stream.end) return `The stream ended: ${stream.end.reason}`;
  const status = stream.status;
  if (isSilent(stream)) return "The sender is silent: it sends not even a status";
  if (status && status.camera !== "live" && status.camera !== "ended") {
    const why = status.camera_error ? `: ${status.camera_error}` : "";
    return `Camera ${status.camera}${why}; it is opened again automatically`;
  }
  if (!stream.skeletons && stream.track.labels.length) return "No skeletons: the sender must serve with --skeletons";
  return "";
}

function showText(element, text) {
  element.hidden = !text;
  setText(element, text);
}

// The wall clock of the moment, except of a video, which has its own times.
function tagText() {
  const { player, stream } = page;
  if (!player || !stream || stream.summary?.video) return "";
  return `${page.review ? "recording" : "frozen"} · ${wall(player.t, 3)}`;
}

// Render everything that need not follow every frame.
export function renderPanels() {
  const { stream, player } = page;
  const t = timeShown();
  showLink();
  showText($("banner"), banner());
  showText($("tag"), tagText());
  showText($("video"), page.view?.video ? "camera picture sent to browsers" : page.note);
  $("canvas").classList.toggle("past", !player && !page.review && stream !== null && !isLive(stream));
  $("transport").className = `transport${player ? " stopped" : ""}${page.frozen || page.window ? " frozen" : ""}`;
  $("live").textContent = page.review ? "Leave the window" : "Back to live";
  if (player) {
    $("play").textContent = player.playing ? "Pause" : "Play";
    $("place").max = String(player.to - player.from);
    $("place").value = String(player.t - player.from);
    const place = page.review ? since(player.t - zero()) : wall(player.t, 3);
    $("place").setAttribute("aria-valuetext", place);
    $("time").textContent = page.review ? `${place} of ${since(player.to - zero())}` : place;
  }
  if (!stream) return;
  const people = page.review ? stream.people : [...new Set([...stream.people, ...(page.person === null ? [] : [page.person])])];
  fillPicker(
    $("person"),
    [["", "Everybody"], ...people.map((person) => [String(person), `Person ${person}`])],
    page.person === null ? "" : String(page.person),
  );
  const present = player || isLive(stream) ? stateAt(t) : [];
  const background = stream.hello?.background ?? null;
  const lanes = stream.hello ? lanesOf(stream.hello) : [];
  now.update(present, {
    background: background === null ? null : stream.hello.labels[background].name, lanes, t, hint: hintAt(t),
  });
  timeline.mask(new Map(lanes.map((lane) => [lane, hiddenOfAll(lane, present)])));
  list.update(eventsOf(), { person: page.person, picked: page.picked, zero: zero(), newestFirst: !page.review });
  health.update(page.review ? factsOf(stream.summary) : healthOf(stream.status, isSilent(stream), page.view, page.link));
  showProfiles(t);
  drawCurve();
}

function showProfiles(t) {
  const newest = (track()?.profilesAt(t) ?? []).filter(({ person }) => (page.person ?? person) === person);
  // The panel stays: one that came and went would move all others.
  page.stream.isProfiled ||= (track()?.profiles.length ?? 0) > 0;
  document.querySelector("main").classList.toggle("profiled", page.stream.isProfiled);
  profiles.update(newest, newest.length ? written(newest[0].t_end_ns / 1e6) : "", page.stream.isProfiled);
}

// Why a group is hidden for every person; "" if it is visible for one.
function hiddenOfAll(lane, people) {
  const reasons = people.filter(({ label }) => label).map(({ label }) => hiddenBy(lane, label.visible));
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
  setText(element, text);
  element.className = `pill ${tone}`;
}

// Events whose scores are shown: the one pointed at, else the chosen one, else those in progress, else the last one.
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
  const hint = "Point at an event to see its score; choose it to step through the window that caused it.";
  $("event").replaceChildren(made("p", "note", hint));
}

// Score of one event over time: {key: identifies the content, draw: makes its elements}.
function scoreOf(event, moment, isOfSeveral) {
  const { stream } = page;
  const at = page.frozen?.track ?? stream.track;
  const end = event.end ?? stream.track.newest;
  const [from, to] = [event.start - CURVE_BEFORE_MS, Math.max(end, event.reported) + CURVE_AFTER_MS];
  if (page.review) stream.need(from, to);
  const points = at.curve(event.person, event.label.id, from, to);
  const draw = () => {
    const index = stream.hello.labels.findIndex((label) => label.id === event.label.id);
    const span = `${written(event.start)} – ${event.open ? "now" : written(event.end)}`;
    const who = `${span} · person ${event.person}`;
    const title = isOfSeveral
      ? made("h3", "low", event.label.name)
      : made("h3", "", [event.label.name, event.label.body].filter(Boolean).join(" · "));
    const facts = isOfSeveral
      ? made("p", "note low", stream.people.length > 1 ? who : span)
      : made("p", "note", `${who} · ${scoreText(event)}`);
    const drawing = curve({
      points, from, to, event, moment, now: end, isLow: isOfSeveral,
      threshold: index < 0 ? null : stream.hello.on_thresholds[index],
    });
    return [title, facts, drawing];
  };
  return { key: `${event.key} ${event.end} ${points.length} ${moment} ${isOfSeveral}`, draw };
}

function describeCanvas(frame) {
  const count = frame?.people.size ?? 0;
  const isPast = !page.player && !isLive(page.stream);
  const who = `Skeleton${count > 1 ? "s" : ""} of ${count} ${count > 1 ? "people" : "person"}`;
  const text = count === 0 ? "Nobody is detected" : isPast ? `Last detected: ${who.toLowerCase()}` : who;
  if ($("canvas").getAttribute("aria-label") !== text) $("canvas").setAttribute("aria-label", text);
}

let before = performance.now();
let slowAt = 0;
let scrolledAt = 0;

export function render(at) {
  requestAnimationFrame(render);
  const { stream, player } = page;
  player?.advance(at - before);
  before = at;
  if (page.review && player) stream?.need(player.t, player.t + 500);
  const t = timeShown();
  const pictures = player ? (page.frozen?.pictures ?? page.film) : stream?.pictures;
  const picture = pictures?.at(t) ?? null;
  const moment = page.film && picture ? picture.t : t;
  const frame = stage.draw({
    hello: stream?.hello, layout: page.layouts.get(stream?.hello?.layout), track: track(), t: moment, person: page.person, picture,
    tags: tagsAt(moment), stopped: player !== null,
  });
  // A stream has no time before its first frame.
  if (stream?.hello && Number.isFinite(stream.track.newest) && at - scrolledAt > SCROLL_MS) {
    scrolledAt = at;
    const playing = player !== null;
    timeline.update({
      at: playing ? (timeline.held ?? t) : stream.now(), share: playing ? 0.5 : 0.97, now: page.review ? stream.to : Math.min(stream.now(), stream.track.newest + MOST_AHEAD_MS),
      playhead: playing ? t : null, events: eventsOf(), markers: stream.track.markers, person: page.person, window: page.window ?? null,
      picked: page.picked, zero: zero(),
    });
  }
  if (at - slowAt > SLOW_MS) {
    slowAt = at;
    describeCanvas(frame);
    renderPanels();
  }
}


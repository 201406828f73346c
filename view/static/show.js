// From the page's state to what is seen: the canvas and the timeline each turn, all else a few times a second.

import { since, wall } from "./clock.js";
import { curve } from "./curve.js";
import { lanesOf } from "./groups.js";
import { $, eventsOf, isSilent, page, timeShown, track, windowMs, written, zero } from "./page.js";
import { EventList, Health, Now, factsOf, healthOf } from "./panels.js";
import { Stage, loadLayout } from "./stage.js";
import { Timeline } from "./timeline.js";

const SLOW_MS = 200;
// The timeline moves by a pixel or two each time; oftener would only cost.
const SCROLL_MS = 25;
const CURVE_BEFORE_MS = 2500;
const CURVE_AFTER_MS = 2000;

// What choosing an event and pointing at one do; actions.js says.
export const on = { pick: () => {}, point: () => {} };
const stage = new Stage($("canvas"));
const timeline = new Timeline($("lanes"), $("track"), $("strip"), $("head"), on);
const now = new Now($("now"));
const list = new EventList($("events"), on);
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
  for (const event of eventsOf().values()) {
    if (event.start > t || (event.end ?? Infinity) < t || event.begun > t + windowMs()) continue;
    if (!tags.has(event.person)) tags.set(event.person, []);
    tags.get(event.person).push(`${several ? `${event.person}: ` : ""}${event.label.name} ${event.score.toFixed(2)}`);
  }
  return tags;
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
  const wanted = page.person === null ? people : [page.person];
  const said = wanted.map((person) => ({ person, label: track()?.labelAt(t, person) ?? null }));
  const background = stream.hello?.background ?? null;
  now.update(
    page.review || player ? said.filter(({ label }) => label) : said,
    background === null ? null : stream.hello.labels[background].name,
    "nobody is seen",
  );
  list.update(eventsOf(), { person: page.person, picked: page.picked, zero: zero(), newestFirst: !page.review });
  health.update(page.review ? factsOf(stream.summary) : healthOf(stream.status, isSilent(stream), page.view));
  drawCurve();
}

function showLink() {
  const { stream } = page;
  let [text, tone] = ["connecting", ""];
  if (page.review) [text, tone] = ["recording", ""];
  else if (page.link === "lost") [text, tone] = ["reconnecting", "bad"];
  else if (page.link === "live" && stream?.end) text = "ended";
  else if (page.link === "live" && stream && isSilent(stream)) [text, tone] = ["silent", "bad"];
  else if (page.link === "live" && stream?.status && stream.status.camera !== "live") [text, tone] = [`camera ${stream.status.camera}`, "warn"];
  else if (page.link === "live" && stream) [text, tone] = ["live", "good"];
  const element = $("link");
  if (element.textContent !== text) element.textContent = text;
  element.className = `pill ${tone}`;
}

// With nobody pointing, what is happening, or happened last.
function latest() {
  let last = null;
  for (const event of eventsOf().values()) {
    if ((page.person ?? event.person) === event.person && (!last || event.start >= last.start)) last = event;
  }
  return last;
}

export function drawCurve() {
  const { stream } = page;
  const event = page.pointed ?? eventsOf().get(page.picked) ?? (page.player ? null : latest());
  if (!event || !stream?.hello) {
    if (page.curve !== "") {
      page.curve = "";
      const note = document.createElement("p");
      note.className = "note";
      note.textContent = "Point at an event to see its score; choose it to step through the window that caused it.";
      $("event").replaceChildren(note);
    }
    return;
  }
  const at = page.frozen?.track ?? stream.track;
  const end = event.end ?? stream.track.newest;
  const [from, to] = [event.start - CURVE_BEFORE_MS, Math.max(end, event.begun) + CURVE_AFTER_MS];
  if (page.review) stream.need(from, to);
  const points = at.curve(event.person, event.label.id, from, to);
  const moment = page.player ? page.player.t : null;
  const state = `${event.key} ${event.end} ${points.length} ${moment}`;
  if (page.curve === state) return;
  page.curve = state;
  const index = stream.hello.labels.findIndex((label) => label.id === event.label.id);
  const title = document.createElement("h3");
  title.textContent = `${event.label.name} · ${event.label.body}`;
  const words = document.createElement("p");
  words.className = "note";
  words.textContent = `${written(event.start)} – ${event.open ? "now" : written(event.end)} · person ${event.person} · ${event.score.toFixed(2)}`;
  const drawing = curve({
    points, from, to, event, moment, now: end, threshold: index < 0 ? null : stream.hello.on_thresholds[index],
  });
  $("event").replaceChildren(title, words, drawing);
}

function describeCanvas(frame) {
  const count = frame?.people.size ?? 0;
  const text = count === 0 ? "Nobody is seen" : `Skeleton${count > 1 ? "s" : ""} of ${count} ${count > 1 ? "people" : "person"}`;
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
  const picture = player ? null : (stream?.picture ?? null);
  const frame = stage.draw({
    hello: stream?.hello, layout: page.layouts.get(stream?.hello?.layout), track: track(), t, person: page.person, picture,
    tags: tagsAt(t), stopped: player !== null,
  });
  // Before its first frame a stream has no time.
  if (stream?.hello && Number.isFinite(stream.track.newest) && at - scrolledAt > SCROLL_MS) {
    scrolledAt = at;
    const playing = player !== null;
    timeline.update({
      at: playing ? t : stream.now(), share: playing ? 0.5 : 0.97, now: page.review ? stream.to : stream.now(),
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


// The page: which stream, which person, live or stopped; and a turn of everything for each picture of the screen.

import { since, wall } from "./clock.js";
import { curve } from "./curve.js";
import { lanesOf } from "./groups.js";
import { Link } from "./link.js";
import { LiveStream } from "./live.js";
import { EventList, Health, Now, factsOf, healthOf } from "./panels.js";
import { Player } from "./player.js";
import { RecordedStream } from "./recorded.js";
import { Stage, loadLayout } from "./stage.js";
import { Timeline } from "./timeline.js";

const $ = (id) => document.getElementById(id);
const SLOW_MS = 200;
// The timeline moves by a pixel or two each time; oftener would only cost.
const SCROLL_MS = 25;
const SILENT_MS = 3500;
const FREEZE_MS = 10_000;
const CURVE_BEFORE_MS = 2500;
const CURVE_AFTER_MS = 2000;

const page = {
  streams: new Map(),
  formats: [], // that the events of a recording can be had in
  stream: null,
  person: null, // null: everybody
  view: null, // how the server fares
  link: "connecting",
  player: null,
  frozen: null, // {track, window} of a live stream that was stopped
  picked: null,
  pointed: null,
  curve: null, // what the score panel shows, in a string
  layouts: new Map(),
  review: false,
};

const on = { pick: (event) => pick(event), point: (event) => point(event) };
const stage = new Stage($("canvas"));
const timeline = new Timeline($("lanes"), $("track"), $("strip"), $("head"), on);
const now = new Now($("now"));
const list = new EventList($("events"), on);
const health = new Health($("health"));

const track = () => page.frozen?.track ?? page.stream?.track ?? null;
const zero = () => (page.review ? (page.stream?.from ?? 0) : 0);
const written = (t) => (page.review ? since(t - zero()) : wall(t, 2));
const eventsOf = () => page.stream?.track.events ?? new Map();

function timeShown() {
  if (page.player) return page.player.t;
  return page.stream ? page.stream.track.newest : 0;
}

// --- what comes -------------------------------------------------------------------------------------------------

function takeDocuments(messages) {
  for (const message of messages) {
    if (message.kind === "view") {
      page.view = message;
      for (const stream of page.streams.values()) stream.silent = message.silent.includes(stream.name);
      continue;
    }
    let stream = page.streams.get(message.stream);
    if (!stream) {
      stream = new LiveStream(message.stream);
      page.streams.set(message.stream, stream);
      page.stream ??= stream;
      fillPicker($("stream"), [...page.streams.keys()].map((name) => [name, name]), page.stream.name);
    }
    const event = stream.take(message);
    if (message.kind === "hello") greet(stream);
    if (event && stream === page.stream && (page.person === null || page.person === event.person)) announce(event);
  }
}

function announce(event) {
  const who = page.stream.people.length > 1 ? `, person ${event.person}` : "";
  // The past that a browser is told when it comes is no news.
  if (page.stream.now() - (event.end ?? event.start) > FREEZE_MS) return;
  $("told").textContent = event.open
    ? `${event.label.name} began${who}`
    : `${event.label.name} ended${who}, ${((event.end - event.start) / 1000).toFixed(1)} seconds`;
}

async function greet(stream) {
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

function takePicture(head, bytes) {
  page.streams.get(head.stream)?.takePicture(head, bytes);
}

// --- what people do ---------------------------------------------------------------------------------------------

function fillPicker(select, options, chosen) {
  const state = JSON.stringify([options, chosen]);
  if (select.dataset.state === state) return;
  select.dataset.state = state;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

function chooseStream(stream) {
  page.stream = stream;
  page.person = page.picked = page.pointed = null;
  if (!page.review) goLive();
  if (stream.hello) greet(stream);
  slowly();
}

function windowMs() {
  return (page.stream?.hello?.window_s ?? 2) * 1000;
}

function stopAt(from, to, t, window) {
  if (page.review) {
    page.player.playing = false;
    page.player.seek(t);
    page.frozen = null;
    page.window = window;
  } else {
    page.frozen = { track: page.stream.track.slice(from, to) };
    page.window = window;
    page.player = new Player({ from, to, t, loops: window !== null });
    page.player.speed = Number($("speed").value);
  }
}

// To the window that made an event begin; played, unless that would trouble whoever watches.
function pick(event) {
  if (!page.stream) return;
  page.picked = event.key;
  page.pointed = event;
  const at = page.stream.track;
  if (page.review) page.stream.need(event.begun - windowMs(), event.begun);
  const [from, to] = at.windowOf(event, windowMs());
  stopAt(from, to, from, [from, to]);
  if (!page.review) page.player.playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  slowly();
}

function freeze() {
  if (!page.stream || page.player) return;
  const to = page.stream.track.newest;
  if (to === -Infinity) return;
  const first = page.stream.track.frames[0]?.t ?? to;
  stopAt(Math.max(to - FREEZE_MS, first), to, to, null);
  slowly();
}

function goLive() {
  if (page.review) {
    page.window = page.picked = null;
    slowly();
    return;
  }
  page.player = page.frozen = page.window = page.picked = null;
  slowly();
}

function step(count) {
  if (!page.player) return;
  page.player.playing = false;
  const frame = track()?.step(page.player.t, count);
  if (frame) page.player.seek(frame.t);
  slowly();
}

function point(event) {
  page.pointed = event;
  drawCurve();
}

$("stream").addEventListener("change", async ({ target }) => {
  if (page.review) await openRecording(Number(target.value));
  else chooseStream(page.streams.get(target.value));
});
$("person").addEventListener("change", ({ target }) => {
  page.person = target.value === "" ? null : Number(target.value);
  slowly();
});
$("freeze").addEventListener("click", () => {
  freeze();
  $("play").focus();
});
$("live").addEventListener("click", () => {
  goLive();
  $("freeze").focus();
});
$("play").addEventListener("click", () => {
  page.player?.toggle();
  slowly();
});
$("back").addEventListener("click", () => step(-1));
$("on").addEventListener("click", () => step(1));
$("speed").addEventListener("change", ({ target }) => {
  if (page.player) page.player.speed = Number(target.value);
});
$("place").addEventListener("input", ({ target }) => {
  if (!page.player) return;
  page.player.playing = false;
  page.player.seek(page.player.from + Number(target.value));
  slowly();
});

document.addEventListener("keydown", (pressed) => {
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey) return;
  const { target } = pressed;
  if (pressed.key === "Escape") goLive();
  else if (target.tagName === "SELECT") return;
  else if (pressed.key === " " && target.tagName !== "BUTTON" && target.tagName !== "A") {
    if (page.player) page.player.toggle();
    else freeze();
    slowly();
  } else if (page.player && (pressed.key === "ArrowLeft" || pressed.key === "ArrowRight")) {
    step(pressed.key === "ArrowLeft" ? -1 : 1);
  } else return;
  pressed.preventDefault();
});

// --- what is shown ----------------------------------------------------------------------------------------------

function tagsAt(t) {
  const tags = new Map();
  const several = (page.stream?.people.length ?? 0) > 1;
  for (const event of eventsOf().values()) {
    if (event.start > t || (event.end ?? Infinity) < t || event.begun > t + windowMs()) continue;
    tags.set(event.person, `${several ? `${event.person}: ` : ""}${event.label.name} ${event.score.toFixed(2)}`);
  }
  return tags;
}

function banner() {
  const { stream } = page;
  if (page.review) return stream?.failed ?? "";
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

function isSilent(stream) {
  return !stream.end && (stream.silent || (stream.status && performance.now() - stream.statusAt > SILENT_MS));
}

function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

// What need not follow every frame.
function slowly() {
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

function drawCurve() {
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

function turn(at) {
  requestAnimationFrame(turn);
  const { stream, player } = page;
  player?.advance(at - before);
  before = at;
  if (page.review && player) stream?.need(player.t, player.t + 500);
  const t = timeShown();
  const picture = player ? null : (stream?.picture ?? null);
  const frame = stage.draw({
    hello: stream?.hello, layout: page.layouts.get(stream?.hello?.layout), track: track(), t, person: page.person, picture,
    tags: tagsAt(t),
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

// --- beginning --------------------------------------------------------------------------------------------------

async function openRecording(number) {
  try {
    const stream = await RecordedStream.open(number, () => slowly());
    page.player = new Player({ from: stream.from, to: stream.to, loops: false });
    page.player.speed = Number($("speed").value);
    page.window = null;
    $("exports").replaceChildren(
      ...page.formats.map(({ name, suffix }) => {
        const link = document.createElement("a");
        link.href = `/recordings/${number}/events${suffix}`;
        link.download = "";
        link.textContent = suffix;
        link.title = `${name}: download the events`;
        link.setAttribute("aria-label", link.title);
        return link;
      }),
    );
    chooseStream(stream);
  } catch (error) {
    say($("banner"), error.message);
  }
}

async function begin() {
  const setup = await (await fetch("/setup")).json();
  page.review = setup.mode === "review";
  if (page.review) {
    $("stream-label").textContent = "Recording";
    const { names, formats } = await (await fetch("/recordings")).json();
    page.formats = formats;
    fillPicker($("stream"), names.map((name, number) => [String(number), name]), "0");
    await openRecording(0);
  } else {
    new Link({
      open: () => {
        page.link = "live";
      },
      documents: takeDocuments,
      picture: takePicture,
      lost: (why) => {
        page.link = "lost";
        page.why = why;
      },
    });
  }
  requestAnimationFrame(turn);
}

begin();

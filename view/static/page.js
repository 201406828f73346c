// The state of the page in one place: changed by actions.js and main.js, rendered by show.js.

import { since, wall } from "./clock.js";

// A stream that misses three status messages is silent.
const SILENT_MS = 3500;

export const page = {
  streams: new Map(),
  formats: [], // {name, suffix} of each format of annotation files
  stream: null,
  person: null, // null: everybody
  view: null, // state of the server
  lesson: null, // state of the lessons
  link: "connecting",
  why: "", // why the server or the recording is unavailable
  player: null,
  film: null, // the video of a recording
  note: "", // why there is no picture
  frozen: null, // {track, pictures} of a frozen live stream
  window: null, // [from, to] of the window that started the picked event
  picked: null,
  pointed: null,
  curve: null, // identifies the content of the score panel
  layouts: new Map(),
  review: false,
};

// The track shown: of a frozen stream, the part that was kept.
export const track = () => page.frozen?.track ?? page.stream?.track ?? null;
// Where the times of a recording count from; null for the wall clock of a live stream.
export const zero = () => (page.review ? (page.stream?.zero ?? 0) : null);
export const written = (t) => (page.review ? since(t - zero()) : wall(t, 2));
export const eventsOf = () => page.stream?.shown ?? page.stream?.track.events ?? new Map();

export function timeShown() {
  if (page.player) return page.player.t;
  return page.stream ? page.stream.track.newest : 0;
}

export function windowMs() {
  return (page.stream?.hello?.window_s ?? 2) * 1000;
}

// Whether the newest messages show the present.
export function isLive(stream) {
  if (page.link !== "live" || !stream || stream.end || isSilent(stream)) return false;
  return !stream.status || stream.status.camera === "live";
}

export function isSilent(stream) {
  return !stream.end && (stream.silent || (stream.status && performance.now() - stream.statusAt > SILENT_MS));
}

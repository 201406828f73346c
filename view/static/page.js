// What the page shows, in one place: changed by actions.js and main.js, shown by show.js.

import { since, wall } from "./clock.js";

// A stream that misses three of its status messages is silent.
const SILENT_MS = 3500;

export const page = {
  streams: new Map(),
  formats: [], // {name, suffix}: that the events of a recording can be had in
  stream: null,
  person: null, // null: everybody
  view: null, // how the server fares
  link: "connecting",
  why: "", // the server or the recording cannot be had
  player: null,
  frozen: null, // {track, pictures} of a live stream that was stopped
  window: null, // [from, to] that made the picked event begin
  picked: null,
  pointed: null,
  curve: null, // what the score panel shows, in a string
  layouts: new Map(),
  review: false,
};

export const $ = (id) => document.getElementById(id);

// Of a stream that is stopped, the part that was set aside.
export const track = () => page.frozen?.track ?? page.stream?.track ?? null;
export const zero = () => (page.review ? (page.stream?.from ?? 0) : 0);
export const written = (t) => (page.review ? since(t - zero()) : wall(t, 2));
export const eventsOf = () => page.stream?.track.events ?? new Map();

export function timeShown() {
  if (page.player) return page.player.t;
  return page.stream ? page.stream.track.newest : 0;
}

export function windowMs() {
  return (page.stream?.hello?.window_s ?? 2) * 1000;
}

// Whether what was heard last is what happens now.
export function isLive(stream) {
  if (page.link !== "live" || !stream || stream.end || isSilent(stream)) return false;
  return !stream.status || stream.status.camera === "live";
}

export function isSilent(stream) {
  return !stream.end && (stream.silent || (stream.status && performance.now() - stream.statusAt > SILENT_MS));
}

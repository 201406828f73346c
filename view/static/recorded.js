// A recording, loaded part by part. Has the interface of a live stream, on a track of the loaded parts.

import { Track, ms } from "./track.js";

const MOST_PARTS = 24;
const RETRY_MS = 2000;

export class RecordedStream {
  constructor(number, summary, onLoaded) {
    this.number = number;
    this.name = summary.name;
    this.hello = summary.hello;
    this.summary = summary;
    this.people = summary.people;
    this.from = ms(summary.start_ns);
    this.to = ms(summary.end_ns);
    this.mediaZero = ms(this.hello.t_zero_ns);
    // Times are those of the video's player, where there is a video.
    this.zero = summary.video ? this.mediaZero : this.from;
    this.onLoaded = onLoaded;
    this.parts = new Map(); // part -> track of its messages, or null while it loads; the most recently used last
    this.failed = "";
    this.track = new Track();
    for (const event of summary.events) this.track.takeEvent(event);
    for (const marker of summary.markers) this.track.takeMarker(marker);
    this.track.newest = this.to;
    this.track.closeEvents();
    this.joined = "";
    this.isProfiled = false; // whether a part had a profile
    this.reported = new Map(this.track.events); // as the model reported them
    for (const event of this.reported.values()) event.original = { label: event.label, start: event.start, end: event.end };
    this.shown = this.reported; // after corrections and filters
  }

  static async open(number, onLoaded) {
    const answer = await fetch(`/recordings/${number}`);
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return new RecordedStream(number, await answer.json(), onLoaded);
  }

  partOf(t) {
    const part = Math.floor((t - this.from) / (this.summary.chunk_s * 1000));
    return Math.min(Math.max(part, 0), this.summary.chunks - 1);
  }

  // Load the parts between two times, and the next one. Returns whether they are loaded.
  need(from, to) {
    const first = this.partOf(from);
    const last = this.partOf(to);
    const wanted = [];
    for (let part = Math.max(first - 1, 0); part <= Math.min(last + 1, this.summary.chunks - 1); part += 1) {
      wanted.push(part);
      const known = this.parts.get(part);
      this.parts.delete(part);
      this.parts.set(part, known ?? null);
      if (known === undefined) this.load(part);
    }
    for (const part of this.parts.keys()) {
      if (this.parts.size <= Math.max(MOST_PARTS, wanted.length)) break;
      this.parts.delete(part);
    }
    this.join(wanted.filter((part) => this.parts.get(part)));
    return wanted.every((part) => part < first || part > last || this.parts.get(part));
  }

  // The loaded parts around the playhead as one track.
  join(parts) {
    const joined = parts.join();
    if (joined === this.joined) return;
    this.joined = joined;
    parts.sort((a, b) => a - b);
    this.track.frames = parts.flatMap((part) => this.parts.get(part).frames);
    this.track.labels = parts.flatMap((part) => this.parts.get(part).labels);
    this.track.profiles = parts.flatMap((part) => this.parts.get(part).profiles);
  }

  async load(part) {
    try {
      const answer = await fetch(`/recordings/${this.number}/parts/${part}`);
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const track = new Track();
      for (const message of await answer.json()) {
        if (message.kind === "skeleton") track.takeSkeleton(message);
        else if (message.kind === "label") track.takeLabel(message);
        else if (message.kind === "profile") track.takeProfile(message);
      }
      if (this.parts.has(part)) this.parts.set(part, track);
      this.joined = this.failed = "";
      this.onLoaded();
    } catch (error) {
      this.failed = String(error.message ?? error);
      setTimeout(() => this.parts.delete(part), RETRY_MS);
    }
  }
}

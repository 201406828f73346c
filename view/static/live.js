// Live streams: keeps the messages of each stream that the page shows. All memory is bounded.

import { Pictures } from "./pictures.js";
import { KEEP_MS, Track, ms } from "./track.js";

// How fast the clock of the page follows that of the stream.
const FOLLOW = 0.05;
const FAR_MS = 2000;

export class LiveStream {
  constructor(name) {
    this.name = name;
    this.track = new Track(KEEP_MS);
    this.hello = null;
    this.status = null;
    this.statusAt = 0;
    this.end = null;
    this.run = null;
    this.silent = false;
    this.skeletons = 0;
    this.pictures = new Pictures();
    this.isCut = false; // the connection to the server is lost
    this.ahead = null;
    this.isProfiled = false; // whether it had a profile
  }

  get people() {
    const frame = this.track.frames[this.track.frames.length - 1];
    const seen = new Set(frame?.people.keys());
    const { labels } = this.track;
    for (let i = labels.length - 1; i >= 0 && labels[i].t > this.track.newest - 2000; i -= 1) seen.add(labels[i].person);
    return [...seen].sort((a, b) => a - b);
  }

  // The clock of the stream now. It stops if the stream ends or the connection is lost.
  now() {
    if (this.ahead === null || this.end || this.isCut) return this.track.newest;
    return Math.max(performance.now() + this.ahead, this.track.newest);
  }

  follow(t) {
    const ahead = t - performance.now();
    if (this.ahead === null || Math.abs(ahead - this.ahead) > FAR_MS) this.ahead = ahead;
    else this.ahead += FOLLOW * (ahead - this.ahead);
  }

  // Take a message. Returns the event if the message starts or ends one.
  take(message) {
    this.isCut = false;
    if (message.run !== this.run) {
      this.run = message.run;
      this.track.closeEvents();
      this.end = this.status = null;
    }
    switch (message.kind) {
      case "hello":
        this.hello = message;
        return null;
      case "skeleton":
        this.skeletons += 1;
        this.track.takeSkeleton(message);
        this.follow(ms(message.t_capture_ns));
        return null;
      case "label":
        this.track.takeLabel(message);
        this.follow(ms(message.t_capture_ns));
        return null;
      case "event":
        return this.track.takeEvent(message);
      case "profile":
        this.track.takeProfile(message);
        return null;
      case "marker":
        this.track.takeMarker(message);
        return null;
      case "status":
        this.status = message;
        this.statusAt = performance.now();
        return null;
      case "end":
        this.end = message;
        this.track.closeEvents();
        return null;
      default:
        return null; // a kind of a later version
    }
  }
}

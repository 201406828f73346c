// Frames, labels and events of one stream in order of time. Memory is bounded. Knows no page and no sockets.
// Times are milliseconds since 1970; a double holds them to a quarter of a microsecond.

export const KEEP_MS = 60_000;
const MOST_FRAMES = 9000;
const MOST_LABELS = 6000;
const MOST_EVENTS = 300;
const MOST_PROFILES = 1000;
const MOST_MARKERS = 1000;
const NO_PERSON = -1;
// A frame is not shown for a moment later than this.
const STALE_MS = 3000;
// An event in progress is updated twice a second.
const UNHEARD_MS = 1000;

export const ms = (ns) => ns / 1e6;

// Index of the last item at or before t; -1 if there is none.
export function lastAt(items, t) {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (items[middle].t <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// x, y and score of each joint in sequence; NaN if it was not detected.
function flattened(joints, scores) {
  const flat = new Float32Array(joints.length * 3);
  for (let v = 0; v < joints.length; v += 1) {
    flat[3 * v] = joints[v] ? joints[v][0] : NaN;
    flat[3 * v + 1] = joints[v] ? joints[v][1] : NaN;
    flat[3 * v + 2] = scores[v] ?? 1;
  }
  return flat;
}

function insert(items, item) {
  // Nearly always the newest, except after the clock was set back.
  if (!items.length || items[items.length - 1].t <= item.t) items.push(item);
  else items.splice(lastAt(items, item.t) + 1, 0, item);
}

export class Track {
  constructor(keepMs = Infinity) {
    this.keepMs = keepMs;
    this.frames = []; // {t, frame, people: Map(person -> flattened joints)}
    this.labels = []; // {t, person, top, gated, visible: regions or null, start, end}
    this.events = new Map(); // key -> {key, id, person, label, start, end, reported, updated, score, open}
    this.profiles = []; // {t: end of the window, length: of the window, message}
    this.markers = []; // {t, text, source}, of other programs
    this.newest = -Infinity;
  }

  takeSkeleton(message) {
    const t = ms(message.t_capture_ns);
    this.newest = Math.max(this.newest, t);
    const at = lastAt(this.frames, t);
    let frame = at >= 0 && this.frames[at].t === t ? this.frames[at] : null;
    if (!frame) {
      frame = { t, frame: message.frame, people: new Map() };
      insert(this.frames, frame);
      this.forget(this.frames, MOST_FRAMES);
    }
    if (message.person !== NO_PERSON) frame.people.set(message.person, flattened(message.joints, message.scores));
  }

  takeLabel(message) {
    const t = ms(message.t_capture_ns);
    this.newest = Math.max(this.newest, t);
    const at = lastAt(this.labels, t);
    for (let i = at; i >= 0 && this.labels[i].t === t; i -= 1) if (this.labels[i].person === message.person) return;
    insert(this.labels, {
      t, person: message.person, top: message.top, gated: message.gated, visible: message.visible?.length ? message.visible : null,
      start: ms(message.t_start_ns), end: ms(message.t_end_ns), latency: message.latency,
    });
    this.forget(this.labels, MOST_LABELS);
  }

  takeProfile(message) {
    const t = ms(message.t_end_ns);
    insert(this.profiles, { t, length: t - ms(message.t_start_ns), message });
    this.forget(this.profiles, MOST_PROFILES);
  }

  takeMarker({ t_marker_ns: at, text, source }) {
    insert(this.markers, { t: ms(at), text, source });
    if (this.keepMs !== Infinity) this.forget(this.markers, MOST_MARKERS);
  }

  // Returns the event if the message starts or ends it.
  takeEvent(message) {
    const key = `${message.run}:${message.event_id}`;
    const known = this.events.get(key);
    const event = known ?? { key, id: message.event_id, reported: ms(message.t_capture_ns), open: true };
    if (known && !known.open) return null; // a repetition
    event.person = message.person;
    event.label = message.label;
    event.start = ms(message.t_start_ns);
    event.score = message.score;
    event.updated = ms(message.t_capture_ns);
    event.open = message.t_end_ns === null;
    event.end = event.open ? null : ms(message.t_end_ns);
    this.events.set(key, event);
    if (this.keepMs !== Infinity && this.events.size > MOST_EVENTS) this.forgetEvent();
    return known && event.open ? null : event;
  }

  // Close events after the sender ended or restarted: at the newest message, if they were updated shortly before it.
  closeEvents() {
    for (const event of this.events.values()) {
      const end = this.newest - event.updated <= UNHEARD_MS ? this.newest : event.updated;
      if (event.open) Object.assign(event, { open: false, end: Math.max(event.start, end) });
    }
  }

  // Discard the oldest event that has ended; events in progress stay.
  forgetEvent() {
    const oldest = [...this.events.values()].find((event) => !event.open) ?? this.events.values().next().value;
    this.events.delete(oldest.key);
  }

  // Events of a person in progress at t, in order of their start. person: null for everybody.
  eventsAt(t, person = null) {
    const running = [...this.events.values()].filter(
      (event) => (person ?? event.person) === event.person && event.start <= t && (event.end ?? Infinity) >= t,
    );
    return running.sort((a, b) => a.start - b.start);
  }

  forget(items, most) {
    const oldest = items[items.length - 1].t - this.keepMs;
    // In batches, since shifting an array for each frame costs more than keeping a few more items.
    if (items.length > most || items[0].t < oldest - 5000) {
      items.splice(0, Math.max(items.length - most, lastAt(items, oldest) + 1));
    }
  }

  // The frame at t or just before; null if there is none near it.
  frameAt(t) {
    const frame = this.frames[lastAt(this.frames, t)];
    return frame && t - frame.t <= STALE_MS ? frame : null;
  }

  // The frame that is `count` frames after the one at t.
  step(t, count) {
    const { frames } = this;
    return frames[Math.min(Math.max(lastAt(frames, t) + count, 0), frames.length - 1)] ?? null;
  }

  // The newest label of a person, not older than an inference or two.
  labelAt(t, person, withinMs = 2000) {
    for (let i = lastAt(this.labels, t); i >= 0 && this.labels[i].t >= t - withinMs; i -= 1) {
      if (this.labels[i].person === person) return this.labels[i];
    }
    return null;
  }

  // The newest profile message of each person, by id; none that is older than its own window.
  profilesAt(t) {
    const newest = new Map();
    for (let i = lastAt(this.profiles, t); i >= 0; i -= 1) {
      const { t: end, length, message } = this.profiles[i];
      if (end > t - length && !newest.has(message.person)) newest.set(message.person, message);
    }
    return [...newest.values()].sort((a, b) => a.person - b.person);
  }

  // [t, score] of one label of one person; null if it was not among the reported labels.
  curve(person, id, from, to) {
    const points = [];
    for (let i = Math.max(lastAt(this.labels, from), 0); i < this.labels.length && this.labels[i].t <= to; i += 1) {
      const label = this.labels[i];
      if (label.person !== person || label.t < from) continue;
      const scored = label.top.find((each) => each.id === id);
      points.push([label.t, scored ? scored.score : label.gated ? 0 : null]);
    }
    return points;
  }

  // The window that started an event: that of the label message sent with its start.
  windowOf(event, windowMs) {
    const at = lastAt(this.labels, event.reported);
    for (let i = at; i >= 0 && this.labels[i].t > event.reported - 1000; i -= 1) {
      if (this.labels[i].person === event.person) return [this.labels[i].start, this.labels[i].end];
    }
    return [event.reported - windowMs, event.reported];
  }

  // A copy of a range, which is kept when the rest is discarded.
  slice(from, to) {
    const part = new Track();
    part.frames = this.frames.slice(Math.max(lastAt(this.frames, from - 1000), 0), lastAt(this.frames, to) + 1);
    part.labels = this.labels.slice(Math.max(lastAt(this.labels, from - 5000), 0), lastAt(this.labels, to + 5000) + 1);
    part.events = new Map(this.events);
    part.profiles = this.profiles.slice(0, lastAt(this.profiles, to) + 1);
    part.markers = this.markers.slice(0, lastAt(this.markers, to) + 1);
    part.newest = to;
    return part;
  }
}

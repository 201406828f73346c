// The decisions of one coder about one recording: sent to the server one by one, applied to the events when they are
// saved. Knows no page.

const NONE = { version: "", events: [], reviewed: [], coders: [], locked: "" };
// Half of the millisecond to which the file holds times.
const SAME_MS = 0.51;
const CONFLICT = 409;

export class Corrections {
  // stream: a recorded one. on: {changed(), said(text, tone)}
  constructor(stream, coder, on) {
    Object.assign(this, { stream, coder, on, state: NONE, done: [], undone: [], events: stream.reported });
    this.queue = Promise.resolve();
    this.kept = new Map(); // event id -> the event, so that an event is the same object after each change
    for (const event of stream.reported.values()) this.kept.set(event.id, event);
  }

  get reviewed() {
    return this.state.reviewed.map(([start, end]) => [this.at(start), this.at(end)]);
  }

  at(seconds) {
    return this.stream.mediaZero + seconds * 1000;
  }

  seconds(t) {
    return (t - this.stream.mediaZero) / 1000;
  }

  async load() {
    this.take(await savedState(this.stream, this.coder));
  }

  take(state) {
    this.state = state;
    const events = new Map(this.stream.reported);
    for (const event of events.values()) Object.assign(event, event.original, { status: "", revision: "" });
    for (const decision of state.events) {
      const event = this.kept.get(decision.event_id) ?? this.added(decision);
      this.apply(event, decision);
      events.set(event.key, event);
    }
    this.events = events;
    this.stream.track.events = new Map([...events].filter(([, { status }]) => status !== "rejected"));
    this.on.changed();
  }

  added({ event_id: id, person }) {
    const event = { key: `added:${id}`, id, person, original: null, score: null, open: false };
    this.kept.set(id, event);
    return event;
  }

  apply(event, { status, label, person, start_s: start, end_s: end }) {
    event.status = status;
    if (status === "changed" || status === "added") {
      event.person = person; // an added event may have the id of one that was taken back
      event.label = this.labelNamed(label);
      event.start = near(event.original?.start, this.at(start));
      event.end = near(event.original?.end, this.at(end));
      event.reported ??= event.end;
    }
    event.revision = [status, label, person, start, end].join();
  }

  labelNamed(name) {
    return this.stream.hello.labels.find((label) => label.name === name) ?? { id: -1, name, body: "" };
  }

  decisionOn(id) {
    const found = this.state.events.find((decision) => decision.event_id === id);
    if (!found) return null;
    const { event_id: _, ...decision } = found;
    return decision;
  }

  // Decide on an event. status: "confirmed", "rejected", "changed" or "added"; the rest as the event is to be.
  decide(event, status, { label = event.label, start = event.start, end = event.end } = {}) {
    return this.change({
      event_id: event.id,
      decision: { status, label: label.name, person: event.person, start_s: this.seconds(start), end_s: this.seconds(end) },
    });
  }

  // The id of the next event that is added.
  nextId() {
    return Math.min(0, ...this.state.events.map(({ event_id: id }) => id)) - 1;
  }

  // Take a decision back.
  remove(event) {
    return this.change({ event_id: event.id, decision: null });
  }

  // Note that everything until t was watched. Resolves to whether it was saved; null if it was noted before.
  reviewUntil(t) {
    const spans = this.state.reviewed.map(([start, end]) => [start, end]).sort((a, b) => a[0] - b[0]);
    const first = this.seconds(this.stream.from);
    if (!spans.length || spans[0][0] > first + SAME_MS / 1000) spans.unshift([first, first]);
    if (this.seconds(t) <= spans[0][1]) return null;
    spans[0][1] = this.seconds(t);
    const joined = [spans[0]];
    for (const [start, end] of spans.slice(1)) {
      const last = joined[joined.length - 1];
      if (start <= last[1]) last[1] = Math.max(last[1], end);
      else joined.push([start, end]);
    }
    return this.change({ event_id: null, reviewed: joined });
  }

  // Until when everything was watched from the beginning; null if nothing was.
  get reviewedUntil() {
    const first = this.reviewed.find(([start]) => start <= this.stream.from + SAME_MS);
    return first ? first[1] : null;
  }

  // One change after another, each to the state that the one before left. Resolves to whether it was saved.
  change(change, isRepeated = false) {
    const saved = this.queue.then(async () => {
      const before = change.event_id === null
        ? { event_id: null, reviewed: this.state.reviewed }
        : { event_id: change.event_id, decision: this.decisionOn(change.event_id) };
      if (!(await this.send(change))) return false;
      if (!isRepeated) {
        this.done.push({ before, after: change });
        this.undone.length = 0;
      }
      this.on.changed();
      return true;
    });
    this.queue = saved;
    return saved;
  }

  undo() {
    return this.again(this.done, this.undone, "before");
  }

  redo() {
    return this.again(this.undone, this.done, "after");
  }

  // Send the last step of a list once more, and move it to the other one if it was saved.
  async again(from, to, which) {
    const step = from.at(-1);
    if (!step || !(await this.change(step[which], true))) return null;
    from.splice(from.indexOf(step), 1);
    to.push(step);
    this.on.changed();
    return step[which];
  }

  // Resolves to whether the server saved a change. If it did not, the events are again as they were saved.
  async send(change) {
    this.on.said("saving", "");
    const answer = await fetch(addressOf(this.stream), {
      method: "POST",
      keepalive: true, // also while the page is left
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ coder: this.coder, version: this.state.version, ...change }),
    }).then(async (got) => ({ ok: got.ok, status: got.status, text: await got.text() })).catch(() => null);
    if (answer?.ok) {
      this.take(JSON.parse(answer.text));
      this.on.said("saved", "good");
      return true;
    }
    const why = answer ? answer.text.trim() : "the server is gone; start mar-edge view again";
    if (answer?.status === CONFLICT) {
      this.done.length = this.undone.length = 0;
      await this.load().catch(() => {});
    }
    this.take(this.state);
    this.on.said(`not saved: ${why}`, "bad");
    return false;
  }
}

const addressOf = (stream) => `/recordings/${stream.number}/corrections`;

// What the file holds of a coder: {version, events, reviewed, coders, locked}.
export async function savedState(stream, coder) {
  const answer = await fetch(`${addressOf(stream)}?coder=${encodeURIComponent(coder)}`, { cache: "no-store" });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

// A time of the file, or the exact one where it is the same.
const near = (exact, t) => (exact !== undefined && exact !== null && Math.abs(exact - t) <= SAME_MS ? exact : t);

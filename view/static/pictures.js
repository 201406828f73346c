// Camera pictures of the last minute, decoded one at a time when they are shown. Memory is bounded.

import { KEEP_MS, lastAt, ms } from "./track.js";

const MOST_BYTES = 32e6;
// A picture is not shown for a moment further away.
const NEAR_MS = 500;

export class Pictures {
  constructor(items = []) {
    this.items = items; // {t, head, blob}
    this.bytes = 0;
    this.shown = null; // {t, head, bitmap}
    this.decoding = false;
  }

  take(head, bytes) {
    const { items } = this;
    const t = ms(head.t_capture_ns);
    if (items.length && t < items[items.length - 1].t) items.length = this.bytes = 0; // the clock was set back
    items.push({ t, head, blob: new Blob([bytes], { type: "image/jpeg" }) });
    this.bytes += bytes.length;
    while (this.bytes > MOST_BYTES || items[0].t < t - KEEP_MS) this.bytes -= items.shift().blob.size;
  }

  // A copy of a range, which is kept when the rest is discarded.
  slice(from, to) {
    return new Pictures(this.items.slice(Math.max(lastAt(this.items, from), 0), lastAt(this.items, to) + 1));
  }

  // The picture of a moment, {t, head, bitmap}; null if none is kept, or until it is decoded.
  at(t) {
    const item = this.items[lastAt(this.items, t)] ?? null;
    if (!item || t - item.t > NEAR_MS) return null;
    if (this.shown?.t !== item.t) this.decode(item);
    return this.shown && Math.abs(this.shown.t - t) <= NEAR_MS ? this.shown : null;
  }

  async decode({ t, head, blob }) {
    if (this.decoding) return;
    this.decoding = true;
    try {
      const bitmap = await createImageBitmap(blob);
      this.shown?.bitmap.close();
      this.shown = { t, head, bitmap };
    } catch {
      this.items = this.items.filter((item) => item.t !== t); // not a picture
    } finally {
      this.decoding = false;
    }
  }
}

// Time that can be stopped, stepped and played: a window of a frozen stream, or a recording. Knows no page.

export class Player {
  // loops: begins again at its end.
  constructor({ from, to, t = from, loops }) {
    Object.assign(this, { from, to, t, loops, playing: false, speed: 1 });
  }

  seek(t) {
    this.t = Math.min(Math.max(t, this.from), this.to);
  }

  toggle() {
    if (!this.playing && this.t >= this.to) this.t = this.from;
    this.playing = !this.playing;
  }

  // milliseconds: of the person who watches.
  advance(milliseconds) {
    if (!this.playing) return;
    const t = this.t + milliseconds * this.speed;
    if (t < this.to) this.t = t;
    else if (this.loops) this.t = this.from;
    else {
      this.t = this.to;
      this.playing = false;
    }
  }
}

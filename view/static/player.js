// Playback that can be paused, stepped and played: of a window of a frozen stream, or of a recording. Knows no page.

export class Player {
  // loops: restart at the end.
  constructor({ from, to, t = from, loops }) {
    Object.assign(this, { from, to, t, loops, playing: false, speed: 1 });
  }

  seek(t) {
    this.t = Math.min(Math.max(t, this.from), this.to);
  }

  toggle() {
    if (!this.playing && this.t >= this.to) this.seek(this.from);
    this.playing = !this.playing;
  }

  // milliseconds: real time that has passed.
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

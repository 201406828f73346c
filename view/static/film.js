// The video of a recording: its pictures for the canvas, and playback by its clock. Knows no page.
//
// The skeleton is drawn together with the picture, at the time of that picture. So both always show the same moment,
// however late a picture comes.

import { Player } from "./player.js";

// A picture is shown from its time on. So a position a little later, less than the time between two pictures, is safe
// from rounding.
const WITHIN_MS = 0.5;
// How long to wait for the time of the first picture. A page in the background gets none.
const FIRST_WAIT_MS = 2000;

export class Film {
  // zero: time of the video's beginning, ms; firstMs: its first picture is so much later, as the recording counts;
  // size: [width, height] of the pixels that joints refer to.
  // on.failed(): the browser cannot play it. on.opened(): its first picture is there.
  constructor(url, { zero, firstMs, size, on }) {
    Object.assign(this, { zero, firstMs, size, on, picture: null, wanted: null, isReady: false, isBehind: false });
    const element = document.createElement("video");
    Object.assign(element, { muted: true, playsInline: true, preload: "auto", src: url });
    element.addEventListener("error", () => this.fail());
    element.addEventListener("loadeddata", () => this.start());
    element.addEventListener("seeked", () => this.seekWanted());
    this.element = element;
    this.follow(); // before the first picture comes
  }

  // The time at which it ends.
  get end() {
    return this.zero + this.element.duration * 1000;
  }

  // A file with sound and an unknown kind of picture opens as well.
  start() {
    if (!this.element.videoWidth) {
      this.fail();
      return;
    }
    if (this.element.requestVideoFrameCallback) setTimeout(() => this.begin(null), FIRST_WAIT_MS);
    else this.begin(null);
  }

  // Browsers differ in whether a video that begins late begins at 0. The time of its first picture tells.
  // mediaTime: of the first picture, s; null if it is unknown.
  begin(mediaTime) {
    if (this.isReady || this.isClosed) return;
    if (mediaTime !== null) this.zero += this.firstMs - mediaTime * 1000;
    this.isReady = true;
    this.on.opened();
    this.seekWanted();
  }

  fail() {
    if (this.isClosed) return;
    this.close();
    this.on.failed();
  }

  close() {
    Object.assign(this, { isClosed: true, isReady: false, picture: null });
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load();
  }

  // Note each picture as it is shown. Browsers without that callback state only the position of playback.
  follow() {
    const { element } = this;
    const take = (seconds) => {
      this.isBehind = false;
      const t = this.zero + seconds * 1000 + WITHIN_MS;
      this.picture = { t, bitmap: element, head: { width: this.size[0], height: this.size[1] } };
    };
    const next = (_, { mediaTime }) => {
      if (this.isClosed) return;
      this.begin(mediaTime);
      take(mediaTime);
      element.requestVideoFrameCallback(next);
    };
    if (element.requestVideoFrameCallback) {
      element.requestVideoFrameCallback(next);
      return;
    }
    const poll = () => {
      if (this.isClosed) return;
      if (this.isReady && !element.seeking && this.picture?.t !== this.zero + element.currentTime * 1000 + WITHIN_MS) take(element.currentTime);
      requestAnimationFrame(poll);
    };
    poll();
  }

  // The picture that is shown, {t, bitmap, head}; null if there is none yet.
  at() {
    return this.picture;
  }

  // Seek one after another: while a drag moves the position, pictures between would never be shown.
  seek(t) {
    Object.assign(this, { wanted: t, isBehind: true });
    if (this.isReady && !this.element.seeking) this.seekWanted();
  }

  seekWanted() {
    if (this.wanted === null || !this.isReady) return;
    this.element.currentTime = Math.max((this.wanted - this.zero + WITHIN_MS) / 1000, 0);
    this.wanted = null;
  }
}

// Playback by the clock of a video.
export class FilmPlayer extends Player {
  // near(t): the time of the recorded frame at t, without the rounding of the browser.
  constructor(film, { from, to }, near) {
    super({ from, to, loops: false });
    Object.assign(this, { film, near });
    this.seek(this.t);
  }

  get playing() {
    return this.isPlaying;
  }

  // The base class sets it before there is a film.
  set playing(playing) {
    this.isPlaying = playing;
    if (!this.film) return;
    const { element } = this.film;
    if (!playing) element.pause();
    else element.play().catch(() => { this.isPlaying = !element.paused; });
  }

  get speed() {
    return this.rate;
  }

  set speed(speed) {
    this.rate = speed;
    if (this.film) this.film.element.playbackRate = speed;
  }

  seek(t) {
    super.seek(t);
    this.film.seek(this.t);
  }

  // The video's own clock decides.
  advance() {
    const { film } = this;
    if (!this.playing || !film.picture || film.isBehind) return;
    super.seek(film.element.ended ? this.to : this.near(film.picture.t));
    if (this.t >= this.to) this.playing = false;
  }
}

// The video of a recording: its pictures for the canvas, and playback by its clock. Knows no page.
//
// The skeleton is drawn together with the picture, at the time of that picture. So both always show the same moment,
// however late a picture comes.

import { Player } from "./player.js";

// A picture is shown from its time on. So a position a little later, less than the time between two pictures, is safe
// from rounding.
const WITHIN_MS = 0.5;

export class Film {
  // zero: time of the video's beginning, ms; size: [width, height] of the pixels that joints refer to.
  // on.failed(reason): the browser cannot play it.
  constructor(url, { zero, size, on }) {
    Object.assign(this, { zero, size, on, picture: null, wanted: null, isReady: false });
    const element = document.createElement("video");
    Object.assign(element, { muted: true, playsInline: true, preload: "auto", src: url });
    element.addEventListener("error", () => this.fail(element.error?.message));
    element.addEventListener("loadeddata", () => this.start());
    element.addEventListener("seeked", () => this.seekWanted());
    this.element = element;
  }

  get duration() {
    return this.element.duration * 1000;
  }

  // A file with sound and an unknown kind of picture opens as well.
  start() {
    if (!this.element.videoWidth) {
      this.fail("");
      return;
    }
    this.isReady = true;
    this.follow();
    this.seekWanted();
  }

  fail(reason) {
    this.close();
    this.on.failed(reason ?? "");
  }

  close() {
    this.isClosed = true;
    this.isReady = false;
    this.picture = null;
    this.element.pause();
    this.element.removeAttribute("src");
    this.element.load();
  }

  // Note each picture as it is shown. Browsers without that callback state only the position of playback.
  follow() {
    const { element } = this;
    const take = (seconds) => {
      const t = this.zero + seconds * 1000 + WITHIN_MS;
      this.picture = { t, bitmap: element, head: { width: this.size[0], height: this.size[1] } };
    };
    const next = (_, { mediaTime }) => {
      if (this.isClosed) return;
      take(mediaTime);
      element.requestVideoFrameCallback(next);
    };
    if (element.requestVideoFrameCallback) {
      element.requestVideoFrameCallback(next);
      return;
    }
    const poll = () => {
      if (this.isClosed) return;
      if (!element.seeking && this.picture?.t !== this.zero + element.currentTime * 1000 + WITHIN_MS) take(element.currentTime);
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
    this.wanted = t;
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
  constructor(film, range) {
    super({ ...range, loops: false });
    this.film = film;
    this.rate = 1;
    this.seek(this.t);
  }

  get playing() {
    return this.isPlaying;
  }

  // The base class sets it before there is a film.
  set playing(playing) {
    this.isPlaying = playing;
    if (!this.film) return;
    if (playing) this.film.element.play().catch(() => { this.isPlaying = false; });
    else this.film.element.pause();
  }

  get speed() {
    return this.rate ?? 1;
  }

  set speed(speed) {
    this.rate = speed;
    if (this.film) this.film.element.playbackRate = speed;
  }

  seek(t) {
    super.seek(t);
    this.film.seek(this.t);
  }

  toggle() {
    if (!this.playing && this.t >= this.to) this.seek(this.from);
    this.playing = !this.playing;
  }

  // The video's own clock decides.
  advance() {
    const { film } = this;
    if (!this.playing || !film.picture || film.element.seeking || film.wanted !== null) return;
    this.t = Math.min(Math.max(film.picture.t, this.from), this.to);
    if (this.t < this.to && !film.element.ended) return;
    if (film.element.ended) this.t = this.to;
    this.playing = false;
  }
}

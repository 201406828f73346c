// Starts the page: takes messages of streams, or opens recordings.

import { chooseStream } from "./actions.js";
import { Link } from "./link.js";
import { LiveStream } from "./live.js";
import { $ } from "./elements.js";
import { page } from "./page.js";
import { fillPicker, render, takeHello } from "./show.js";
import { startTeaching, takeLesson } from "./teach.js";

// Older events are not announced.
const NEWS_MS = 10_000;

function takeDocuments(messages) {
  const news = [];
  for (const message of messages) {
    if (message.kind === "view") {
      page.view = message;
      for (const stream of page.streams.values()) stream.silent = message.silent.includes(stream.name);
      continue;
    }
    if (message.kind === "teach") {
      takeLesson(message);
      continue;
    }
    let stream = page.streams.get(message.stream);
    if (!stream) {
      stream = new LiveStream(message.stream);
      page.streams.set(message.stream, stream);
      page.stream ??= stream;
      fillPicker($("stream"), [...page.streams.keys()].map((name) => [name, name]), page.stream.name);
    }
    const event = stream.take(message);
    if (message.kind === "hello") takeHello(stream);
    if (event && stream === page.stream && (page.person === null || page.person === event.person)) news.push(event);
  }
  // Announced together, since a screen reader would speak only the last one.
  const announced = news.filter((event) => page.stream.now() - (event.end ?? event.start) <= NEWS_MS).map(announcement);
  if (announced.length) $("announcements").textContent = announced.join("; ");
}

function announcement(event) {
  const who = page.stream.people.length > 1 ? `, person ${event.person}` : "";
  return event.open
    ? `${event.label.name} started${who}`
    : `${event.label.name} ended${who}, ${((event.end - event.start) / 1000).toFixed(1)} seconds`;
}

function takePicture(head, bytes) {
  page.streams.get(head.stream)?.pictures.take(head, bytes);
}

$("stream").addEventListener("change", ({ target }) => {
  if (!page.review) chooseStream(page.streams.get(target.value));
});

async function begin() {
  const setup = await (await fetch("/setup")).json();
  page.review = setup.mode === "review";
  if (page.review) {
    await (await import("./review.js")).review();
  } else {
    startTeaching(setup.teaching);
    new Link({
      open: () => {
        page.link = "live";
      },
      documents: takeDocuments,
      picture: takePicture,
      lost: (why) => {
        page.link = "lost";
        page.why = why;
        for (const stream of page.streams.values()) stream.isCut = true;
      },
    });
  }
  requestAnimationFrame(render);
}

begin();

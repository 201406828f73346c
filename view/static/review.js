// Opens recordings for review: the stream, its video, and the files of its events.

import { chooseStream } from "./actions.js";
import { since } from "./clock.js";
import { correct, startCorrecting } from "./correct.js";
import { $, made } from "./elements.js";
import { Film, FilmPlayer } from "./film.js";
import { page } from "./page.js";
import { Player } from "./player.js";
import { RecordedStream } from "./recorded.js";
import { fillPicker, renderPanels } from "./show.js";

// A video this much shorter than its recording is perhaps another one.
const SHORTER_MS = 1000;
const ASKED = "recording"; // of the page's address: the name of the recording to open
let wanted = 0; // number of the recording to show

export async function review() {
  $("stream-label").textContent = "Recording";
  const { names, formats } = await (await fetch("/recordings")).json();
  page.formats = formats;
  const asked = new URLSearchParams(location.search).get(ASKED);
  const first = Math.max(names.indexOf(asked), 0);
  fillPicker($("stream"), names.map((name, number) => [String(number), name]), String(first));
  $("stream").addEventListener("change", ({ target }) => {
    const number = Number(target.value);
    // In the address, so that a reload comes back to it.
    history.replaceState(null, "", `?${new URLSearchParams({ [ASKED]: names[number] })}`);
    open(number);
  });
  startCorrecting(showExports);
  addSound();
  await open(first);
}

async function open(number) {
  wanted = number;
  try {
    const stream = await RecordedStream.open(number, () => renderPanels());
    if (wanted !== number) return;
    page.film?.close();
    page.film = null;
    page.window = null;
    page.why = page.note = "";
    $("sound").hidden = true;
    const range = { from: stream.from, to: stream.to };
    page.player = stream.summary.video ? playerOfVideo(stream, range) : new Player({ ...range, loops: false });
    page.player.speed = Number($("speed").value);
    chooseStream(stream);
    showExports("");
    await correct(stream);
  } catch (error) {
    page.why = error.message;
  }
}

function addSound() {
  const button = made("button", "", "Sound");
  Object.assign(button, { id: "sound", type: "button", hidden: true });
  button.addEventListener("click", () => {
    const { element } = page.film;
    element.muted = !element.muted;
    button.setAttribute("aria-pressed", String(!element.muted));
  });
  $("live").before(button);
}

function playerOfVideo(stream, range) {
  const { name, first_s: first } = stream.summary.video;
  const film = new Film(`/recordings/${stream.number}/video`, {
    zero: stream.mediaZero, firstMs: first * 1000, size: stream.hello.size,
    on: {
      opened: () => {
        $("sound").hidden = false;
        $("sound").setAttribute("aria-pressed", "false");
        if (stream.to - film.end > SHORTER_MS) {
          page.note = `${name} ends at ${since(film.end - stream.zero, 1)}, the recording at ${since(stream.to - stream.zero, 1)}: is it the right video?`;
        }
      },
      failed: () => {
        if (page.film !== film) return;
        const { t, speed } = page.player;
        page.film = null;
        page.player = Object.assign(new Player({ ...range, t, loops: false }), { speed });
        page.note = `This browser cannot play ${name}: only skeletons are shown. Save it as MP4 (H.264) or WebM next to it`;
        renderPanels();
      },
    },
  });
  page.film = film;
  return new FilmPlayer(film, range, (t) => nearFrame(stream, t));
}

function nearFrame(stream, t) {
  const frame = stream.track.frameAt(t);
  return frame && t - frame.t < 1 ? frame.t : t;
}

// coder: whose corrections the files contain; "" for none.
function showExports(coder) {
  const query = coder ? `?coder=${encodeURIComponent(coder)}` : "";
  $("exports").replaceChildren(
    ...page.formats.map(({ name, suffix }) => {
      const link = made("a", "", suffix);
      link.href = `/recordings/${page.stream.number}/events${suffix}${query}`;
      link.download = "";
      link.title = `${suffix}: download the events for ${name}${coder ? `, as corrected by ${coder}` : ""}`;
      link.setAttribute("aria-label", link.title);
      return link;
    }),
  );
}

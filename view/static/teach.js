// Teaching a movement on the live page. The server counts, judges and decides; this asks it and shows what it says.

import { $, made, setText } from "./elements.js";
import { paint } from "./groups.js";
import { page } from "./page.js";
import { fillPicker } from "./show.js";

const OFF = "To teach movements here, start the service with --teach-to taught.onnx. They are written to that file.";
const REFUSED = "This address only shows. Teach at the other address that mar-edge printed.";
const ACTIVE = ["waiting", "ready", "count", "show", "thanks", "idle", "fitting"];
// Seconds that an example and everything else take, at least.
const EXAMPLE_S = 7.5;
const REST_S = 33;

let access = "none"; // whether this browser may teach
let panel = null;
let inForm = true;
let shown = ""; // identifies what the panel shows

// allowed: what the server says about this browser.
export function startTeaching(allowed) {
  access = allowed;
  $("teach").hidden = access === "none";
  $("teach").addEventListener("click", () => (panel ? close() : open()));
}

// Take the state of the lessons.
export function takeLesson(message) {
  page.lesson = message;
  if (ACTIVE.includes(message.phase)) inForm = false;
  if (message.phase === "stopped") inForm = true;
  render();
}

const lesson = () => page.lesson;
const isActive = () => ACTIVE.includes(lesson()?.phase);

function open() {
  panel = made("dialog", "teach");
  panel.setAttribute("aria-label", "Teach a movement");
  // The keys of the page rest here.
  panel.addEventListener("keydown", (pressed) => {
    pressed.stopPropagation();
    if (pressed.key === "Escape" && !isActive()) close();
  });
  document.body.append(panel);
  inForm = !isActive();
  shown = "";
  panel.show();
  render();
}

function close() {
  panel.remove();
  panel = null;
  $("teach").focus({ preventScroll: true });
}

// Ask the server. Returns why it refused; "" if it did not.
async function ask(wish) {
  try {
    const answer = await fetch("/lessons", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wish) });
    return answer.ok ? "" : (await answer.text()).trim();
  } catch {
    return "the server is gone";
  }
}

function render() {
  if (!panel) return;
  if (access !== "allowed") fill("access", () => [made("p", "", access === "off" ? OFF : REFUSED), row(button("Close", close))]);
  else if (!lesson()) fill("none", () => [made("p", "quiet", "no answer of the server yet")]);
  else if (inForm) fill(`form ${JSON.stringify(lesson().labels)}`, form);
  else showLesson();
}

// Make the content again if it changes, so that what is typed stays.
function fill(state, make) {
  if (state === shown) return;
  shown = state;
  panel.replaceChildren(made("h2", "", "Teach a movement"), ...make());
  panel.querySelector("input, .prompt, button")?.focus({ preventScroll: true });
}

function form() {
  const { stream } = page;
  const labels = (stream?.hello?.labels ?? []).filter((_, i) => i !== stream.hello.background);
  const added = new Set(lesson().labels.filter(({ is_new: isNew }) => isNew).map(({ name }) => name));
  const name = made("input");
  Object.assign(name, { type: "text", required: true, maxLength: 100, autocomplete: "off", placeholder: "such as circling head" });
  const names = made("datalist");
  names.id = "teach-names";
  names.append(...labels.map((label) => new Option(label.name)));
  name.setAttribute("list", names.id);
  const body = made("select");
  body.append(...lesson().groups.map((group) => new Option(group)));
  const known = made("p", "note");
  const count = made("input");
  Object.assign(count, { type: "number", min: 3, max: 10, value: 5, required: true });
  const who = made("select");
  const offer = (chosen) => fillPicker(who, [["", "Anybody"], ...(page.stream?.people ?? []).map((person) => [String(person), `Person ${person}`])], chosen);
  offer(page.person === null ? "" : String(page.person));
  who.addEventListener("focus", () => offer(who.value));
  const side = made("input");
  side.type = "checkbox";
  const lasts = made("p", "note");
  const problem = made("p", "bad");
  problem.setAttribute("role", "alert");
  const group = field("Part of the body", body);
  const describe = () => {
    const label = labels.find((each) => each.name === name.value.trim());
    const isOwn = label && !added.has(label.name);
    group.hidden = Boolean(label);
    setText(known, isOwn ? "The model knows this label: it is adapted to this person." : label ? "This label is taught again." : "");
    const seconds = Math.round((Number(count.value) * EXAMPLE_S + REST_S) / 5) * 5;
    setText(lasts, `Show it ${count.value} times when asked, then half a minute of nothing special: about ${seconds} s. Sit as you will sit later.`);
  };
  name.addEventListener("input", describe);
  count.addEventListener("input", describe);
  const element = made("form");
  element.append(
    field("Name", name), names, known, group, field("Examples", count), field("Who shows it", who),
    field("To the other side, it is another movement", side), lasts, row(button("Start", null), button("Close", close)), problem,
  );
  element.addEventListener("submit", async (submitted) => {
    submitted.preventDefault();
    const why = await ask({
      do: "start", name: name.value.trim(), stream: stream?.name ?? "", body: body.value, examples: Number(count.value),
      person: who.value === "" ? null : Number(who.value), one_side: side.checked,
    });
    setText(problem, why);
  });
  describe();
  return [element, ...taught(problem)];
}

// The labels that are taught, each with a button that removes it when it is pressed twice.
function taught(problem) {
  const { labels } = lesson();
  if (!labels.length) return [];
  const list = made("ul");
  list.setAttribute("aria-label", "Taught labels");
  list.append(...labels.map(({ name, body, is_new: isNew }) => {
    const item = made("li", "", name);
    item.append(made("em", "", isNew ? ` ${body}` : " adapted"));
    paint(item, body);
    const remove = button("Remove", async () => {
      if (remove.textContent === "Remove") setText(remove, `Really remove ${name}?`);
      else setText(problem, await ask({ do: "remove", name }));
    });
    item.append(remove);
    return item;
  }));
  return [made("h3", "", "Taught"), list];
}

// What is asked for changes each second: its elements stay, so that the button can be pressed.
function showLesson() {
  const { phase, name, number, of, left_s: left, examples, lines, file } = lesson();
  const canStop = isActive() && phase !== "fitting";
  fill(`lesson ${canStop} ${isActive()}`, () => {
    const prompt = made("p", "prompt");
    prompt.setAttribute("role", "status");
    prompt.tabIndex = -1;
    prompt.append(made("span"), " ", made("b"));
    const problem = made("p", "bad");
    problem.setAttribute("role", "alert");
    const buttons = [button("Teach another", () => {
      inForm = true;
      render();
    }), button("Close", close)];
    if (canStop) buttons.splice(0, 2, button("Stop", async () => setText(problem, await ask({ do: "stop" }))));
    const notes = made("div");
    return [prompt, made("ol", "examples"), notes, row(...(canStop || !isActive() ? buttons : [])), problem];
  });
  const which = `Example ${number} of ${of}`;
  const [small, large] = {
    waiting: ["Waiting", "until the person is seen"],
    ready: number ? [which, "get ready"] : ["Then half a minute of nothing special", "get ready"],
    count: [which, `${left}`],
    show: [which, `now: ${name}`],
    thanks: [which, "thank you"],
    idle: ["Nothing special: look around, scratch, but do not do it", `${left} s`],
    fitting: ["Everything was shown", "learning …"],
    taught: [`Written to ${file}. It is recognized from now on`, name],
    refused: ["Nothing was taught", name],
    removed: ["Removed", name],
  }[phase] ?? ["", ""];
  const [, prompt, list, notes] = panel.children;
  prompt.className = `prompt ${phase}`;
  setText(prompt.firstChild, small);
  setText(prompt.lastChild, large);
  const judged = examples.map(({ word, problem }) => [word === "good" ? "good" : "warn", problem ? `${word}: ${problem}` : word]);
  list.replaceChildren(...judged.map(([tone, text]) => made("li", tone, text)));
  notes.replaceChildren(...lines.map((line) => made("p", "note", line)));
}

function field(text, input) {
  const label = made("label", input.type === "checkbox" ? "check" : "");
  label.append(made("span", "", text), input);
  return label;
}

function row(...elements) {
  const element = made("p", "buttons");
  element.append(...elements);
  return element;
}

// A button; without an action it submits its form.
function button(text, does) {
  const element = made("button", "", text);
  element.type = does ? "button" : "submit";
  if (does) element.addEventListener("click", does);
  return element;
}

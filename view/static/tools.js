// The bar above the timeline: buttons, the coder, what is saved, filters, and help for the keys. Knows no events.

import { $, made, setText } from "./elements.js";

const STORE = "mar-edge";
// What the page itself does with keys.
const FURTHER = [["Space", "play"], ["← →", "one frame"], ["Shift ← →", "ten frames"], ["Esc", "leave the event"]];

// What this browser keeps; nothing where it may not.
export function kept(name) {
  try {
    return localStorage.getItem(`${STORE} ${name}`) ?? "";
  } catch {
    return "";
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(`${STORE} ${name}`, value);
  } catch {
    // asked again next time
  }
}

export class Tools {
  // actions: [{key, text, event, ofView}]; filters: elements; run(action); changeCoder()
  constructor({ actions, filters, run, changeCoder }) {
    Object.assign(this, { actions, run });
    this.buttons = new Map();
    const bar = made("div", "tools");
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Corrections");
    this.coder = button("", changeCoder);
    this.count = made("span", "note");
    this.saved = made("span", "saved");
    this.saved.id = "saved";
    this.saved.setAttribute("role", "status");
    bar.append(...actions.filter(({ ofView }) => !ofView).map((action) => this.buttonOf(action)));
    const shown = made("div", "tools");
    shown.setAttribute("role", "group");
    shown.setAttribute("aria-label", "Events shown");
    this.letters = made("input");
    Object.assign(this.letters, { type: "checkbox", checked: kept("keys") !== "off" });
    this.letters.addEventListener("change", () => keep("keys", this.letters.checked ? "on" : "off"));
    const letters = made("label", "");
    letters.append(this.letters, " letter keys");
    shown.append(...filters, ...actions.filter(({ ofView }) => ofView).map((action) => this.buttonOf(action)), letters);
    const state = made("div", "tools");
    state.append(this.coder, this.saved, this.count, this.help());
    this.overview = made("canvas", "overview");
    this.overview.setAttribute("aria-hidden", "true");
    document.querySelector(".timeline").prepend(bar, shown, state, this.overview);
    this.scrubber = made("canvas", "marks");
    this.scrubber.setAttribute("aria-hidden", "true");
    const rail = made("span", "rail moving");
    const place = $("place");
    place.replaceWith(rail);
    rail.append(this.scrubber, place);
    document.addEventListener("keydown", (pressed) => this.press(pressed));
  }

  buttonOf(action) {
    const element = button(action.text, () => this.run(action));
    element.prepend(made("kbd", "", action.key === "U" ? "Shift U" : action.key.toUpperCase()));
    element.setAttribute("aria-keyshortcuts", action.key === "U" ? "Shift+U" : action.key.toUpperCase());
    this.buttons.set(action.key, element);
    return element;
  }

  help() {
    const help = made("p", "note");
    help.append(...FURTHER.flatMap(([key, text]) => [made("kbd", "", key), ` ${text}  `]));
    return help;
  }

  press(pressed) {
    const { target } = pressed;
    if (target.matches("select, input:not([type=range], [type=checkbox])")) return;
    const letter = pressed.key.length === 1 && /[a-z]/i.test(pressed.key);
    let key = letter ? (pressed.shiftKey ? pressed.key.toUpperCase() : pressed.key.toLowerCase()) : pressed.key;
    if (pressed.ctrlKey || pressed.metaKey) {
      key = { z: "u", Z: "U", y: "U" }[key];
    } else if (pressed.altKey || !this.letters.checked) return;
    if (key === "=") key = "+";
    const action = this.actions.find((each) => each.key === key);
    if (!action) return;
    pressed.preventDefault();
    this.run(action);
  }

  say(text, tone) {
    setText(this.saved, text);
    this.saved.className = `saved ${tone}`;
  }

  enable(hasEvent) {
    for (const action of this.actions) if (action.event) this.buttons.get(action.key).disabled = !hasEvent;
  }

  show({ coder, count, canUndo, canRedo }) {
    setText(this.coder, coder ? `Coder: ${coder}` : "Coder: nobody yet");
    if (count === undefined) return;
    setText(this.count, count);
    this.buttons.get("u").disabled = !canUndo;
    this.buttons.get("U").disabled = !canRedo;
  }
}

function button(text, does) {
  const element = made("button", "", text);
  element.type = "button";
  element.addEventListener("click", does);
  return element;
}

// Dialogs: which label, and who codes. Each resolves to the answer, or to null if there is none.

import { made } from "./elements.js";
import { paint } from "./groups.js";

let lists = 0;

// Show a dialog with a form until it is answered. The page's own keys rest meanwhile.
function ask(title, fill) {
  const dialog = made("dialog");
  const form = dialog.appendChild(made("form"));
  form.method = "dialog";
  dialog.setAttribute("aria-label", title);
  form.append(made("h2", "", title));
  dialog.addEventListener("keydown", (pressed) => pressed.stopPropagation());
  document.body.append(dialog);
  const focused = document.activeElement;
  return new Promise((resolve) => {
    let answer = null;
    fill(form, (given) => {
      answer = given;
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      focused?.focus?.({ preventScroll: true });
      resolve(answer);
    });
    dialog.showModal();
  });
}

// labels: in the order offered. people: to choose from, person: the proposed one. Resolves to {label, person}.
export function askLabel(title, { labels, current, people, person }) {
  return ask(title, (form, give) => {
    const list = made("ul");
    list.id = `labels-${(lists += 1)}`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Labels");
    const input = made("input");
    for (const [name, value] of Object.entries({
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-label": "Label: type a part of its name",
      autocomplete: "off", placeholder: "type a part of the name",
    })) input.setAttribute(name, value);
    const who = made("select");
    who.setAttribute("aria-label", "Person");
    who.append(...people.map((each) => new Option(`Person ${each}`, String(each), false, each === person)));
    let shown = [];
    let active = 0;
    const mark = (number) => {
      active = Math.min(Math.max(number, 0), shown.length - 1);
      [...list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === active)));
      const option = list.children[active];
      input.setAttribute("aria-activedescendant", option?.id ?? "");
      option?.scrollIntoView({ block: "nearest" });
    };
    const choose = () => {
      if (shown[active]) give({ label: shown[active], person: people.length > 1 ? Number(who.value) : person });
    };
    const filter = () => {
      const part = input.value.trim().toLowerCase();
      shown = labels.filter(({ name, body }) => `${name} ${body}`.toLowerCase().includes(part));
      list.replaceChildren(...shown.map((label, n) => {
        const option = made("li", "", label.name);
        option.id = `${list.id}-${n}`;
        option.setAttribute("role", "option");
        option.append(made("em", "", ` ${label.body}`));
        paint(option, label.body);
        option.addEventListener("click", () => {
          mark(n);
          choose();
        });
        return option;
      }));
      mark(Math.max(part ? 0 : shown.findIndex(({ name }) => name === current), 0));
    };
    input.addEventListener("input", filter);
    input.addEventListener("keydown", (pressed) => {
      const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[pressed.key];
      if (!by) return;
      pressed.preventDefault();
      mark(active + by);
    });
    form.addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      choose();
    });
    form.append(input, ...(people.length > 1 ? [who] : []), list, made("p", "note", "Enter takes the marked label · Esc leaves"));
    filter();
  });
}

// names: known coders. Resolves to a name.
export function askCoder(names, current, longest) {
  return ask("Who codes?", (form, give) => {
    const known = made("datalist");
    known.id = "coders";
    known.append(...names.map((name) => new Option(name)));
    const input = made("input");
    Object.assign(input, { type: "text", maxLength: longest, required: true, autocomplete: "off", value: current });
    input.setAttribute("list", known.id);
    input.setAttribute("aria-label", "Name of the coder");
    const button = made("button", "", "Begin");
    form.append(made("p", "note", "Each correction states this name. It stays in this browser."), input, known, button);
    form.addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      if (input.value.trim()) give(input.value.trim());
    });
  });
}

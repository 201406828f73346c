// Elements of the page: making them, and setting their text. Knows nothing of streams.

export const $ = (id) => document.getElementById(id);

export function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// Setting a text again would make screen readers repeat it.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

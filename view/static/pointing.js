// Handles the button of an event: chosen, pointed at, left. Only a pointer that moves points at something. A button that
// moves under a resting pointer, as in a growing list, is not pointed at.

let [x, y] = [NaN, NaN];
let moved = false;

document.addEventListener("pointermove", ({ clientX, clientY }) => {
  moved = clientX !== x || clientY !== y;
  [x, y] = [clientX, clientY];
}, { capture: true, passive: true });

// on: {pick(event), point(event), leave(event)}
export function offer(button, event, on) {
  button.addEventListener("click", () => on.pick(event));
  button.addEventListener("pointermove", () => {
    if (moved) on.point(event);
  });
  button.addEventListener("pointerleave", () => on.leave(event));
  button.addEventListener("focus", () => {
    if (button.matches(":focus-visible")) on.point(event);
  });
  button.addEventListener("blur", () => on.leave(event));
}

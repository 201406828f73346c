// What is done to the button of an event: it is chosen, pointed at, left. A pointer points when it moves: what moves
// under one that rests, as a list that grows, points at nothing.

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

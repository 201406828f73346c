// Zooms and drags the timeline: by wheel, by keys, and by one or two fingers. Knows no events.

const WHEEL = 0.002;
const KEY = 1.5;

// on: {most(): the longest span, time(): the playhead, seek(t)}
export function makeZoomable(timeline, on) {
  const { element } = timeline;
  const zoom = (factor) => timeline.zoom(factor, on.most());
  element.classList.add("zoomable");
  element.addEventListener("wheel", (turned) => {
    turned.preventDefault();
    // Sideways, or with Shift, it moves along; a pinch on a touchpad comes as a wheel with Ctrl.
    const along = turned.deltaX || (turned.shiftKey ? turned.deltaY : 0);
    if (along) on.seek(on.time() + along / timeline.pxPerMs);
    else zoom(Math.exp(turned.deltaY * WHEEL * (turned.ctrlKey ? 4 : 1)));
  }, { passive: false });

  const fingers = new Map(); // pointer id -> its x
  const apart = () => {
    const [one, other] = fingers.values();
    return Math.max(Math.abs(one - other), 20);
  };
  element.addEventListener("pointerdown", (pressed) => {
    if (pressed.target.closest("button, .edge") && fingers.size === 0) return;
    fingers.set(pressed.pointerId, pressed.clientX);
    element.setPointerCapture(pressed.pointerId);
  });
  element.addEventListener("pointermove", (moved) => {
    if (!fingers.has(moved.pointerId)) return;
    const [before, x] = [fingers.size === 2 ? apart() : 0, fingers.get(moved.pointerId)];
    fingers.set(moved.pointerId, moved.clientX);
    if (fingers.size === 2) zoom(before / apart());
    else if (fingers.size === 1) on.seek(on.time() - (moved.clientX - x) / timeline.pxPerMs);
  });
  for (const kind of ["pointerup", "pointercancel"]) element.addEventListener(kind, ({ pointerId }) => fingers.delete(pointerId));
  return {
    closer: () => zoom(1 / KEY),
    farther: () => zoom(KEY),
    all: () => zoom(Infinity),
  };
}

// The panel of activity profiles: how often each body group acted in the last minute, against the baseline. Keeps no time.

import { since } from "./clock.js";
import { made } from "./elements.js";
import { OTHER, paint } from "./groups.js";

const MOST_PEOPLE = 3;
// The full length of a bar, in events per minute, where no rate is higher.
const LEAST_SCALE = 6;

const perMinute = (rate) => rate.toFixed(1);

// How a window compares with its baseline: "baseline 1.7, × 2.5 (0.6 to 9.3)".
function compared({ baseline: base }) {
  if (!base || base.rate_per_min === null) return "";
  const [low, high] = [base.ratio_low?.toFixed(1) ?? "?", base.ratio_high?.toFixed(1) ?? "?"];
  const ratio = base.ratio === null ? "" : `, ×\u00a0${base.ratio.toFixed(1)} (${low}\u00a0to\u00a0${high})`;
  return `baseline ${perMinute(base.rate_per_min)}${ratio}`;
}

function baselineOf({ baseline_s: duration, baseline_complete: complete }) {
  if (duration === null) return "no baseline";
  const minutes = since(duration * 1000, 0);
  return complete ? `against a baseline of ${minutes} min` : `the baseline of ${minutes} min is not complete: no comparison yet`;
}

export class Profiles {
  // section: hidden where a stream has no profiles.
  constructor(section, note, element) {
    Object.assign(this, { section, note, element, shown: "" });
  }

  // profiles: the newest message of each person shown; end: its time in words; isThere: whether the stream has profiles.
  update(profiles, end, isThere) {
    const state = JSON.stringify([isThere, profiles.map(({ run, person, t_end_ns }) => [run, person, t_end_ns])]);
    if (state === this.shown) return;
    this.shown = state;
    this.section.hidden = !isThere;
    if (!profiles.length) {
      this.note.textContent = "none of this moment";
      this.element.replaceChildren();
      return;
    }
    const [first] = profiles;
    const window = (first.t_end_ns - first.t_start_ns) / 1e9;
    this.note.textContent = `actions per minute in view, ${window.toFixed(0)} s up to ${end}; ${baselineOf(first)}`;
    const shown = profiles.slice(0, MOST_PEOPLE);
    const rates = shown.flatMap(({ bodies }) => bodies.flatMap((each) => [each.rate_per_min, each.baseline?.rate_per_min]));
    const scale = Math.max(LEAST_SCALE, ...rates.map((rate) => rate ?? 0));
    this.element.replaceChildren(
      ...shown.flatMap(({ person, total, bodies }) => {
        const cells = made("ul");
        cells.append(cell(total, "all", null), ...bodies.map((activity) => cell(activity, activity.name || OTHER, scale)));
        return profiles.length > 1 ? [made("h3", "who", `Person ${person}`), cells] : [cells];
      }),
      ...(profiles.length > MOST_PEOPLE ? [made("p", "note", `and ${profiles.length - MOST_PEOPLE} more: choose a person`)] : []),
    );
  }
}

// scale: events per minute that fill a bar; null for no bar.
function cell(activity, name, scale) {
  const { count, duration_s: duration, rate_per_min: rate, baseline } = activity;
  const row = made("li");
  if (rate === null) {
    row.classList.add("masked");
    row.append(made("span", "", name), made("small", "", "not in view"));
    return row;
  }
  row.append(made("span", "", name), made("b", "", perMinute(rate)));
  if (scale !== null) {
    paint(row, activity.body);
    const bar = row.appendChild(made("div", "bar"));
    bar.appendChild(made("i")).style.transform = `scaleX(${rate / scale})`;
    const before = baseline?.rate_per_min ?? null;
    if (before !== null) bar.appendChild(made("u")).style.left = `${(100 * before) / scale}%`;
  }
  const events = `${count} ${count === 1 ? "event" : "events"}`;
  row.append(made("small", "", [events, compared(activity)].filter(Boolean).join("; ")));
  row.title = `${name}: ${events}, ${duration.toFixed(1)} s in ${activity.in_view_s.toFixed(0)} s in view`;
  return row;
}

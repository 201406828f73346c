// Formats times.

const two = (number) => String(number).padStart(2, "0");

// 14:03:07.25 in the local time zone; `digits` decimals of a second.
export function wall(t, digits = 1) {
  const date = new Date(t);
  const fraction = String(Math.floor(date.getMilliseconds())).padStart(3, "0").slice(0, digits);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${digits ? `.${fraction}` : ""}`;
}

// 1:02.345 since the start.
export function since(milliseconds, digits = 3) {
  const unit = 10 ** digits;
  const units = Math.round((Math.max(milliseconds, 0) / 1000) * unit);
  const minutes = Math.floor(units / (60 * unit));
  const [whole, fraction] = ((units - minutes * 60 * unit) / unit).toFixed(digits).split(".");
  return `${minutes}:${two(whole)}${digits ? `.${fraction}` : ""}`;
}

export const seconds = (milliseconds, digits = 1) => `${(milliseconds / 1000).toFixed(digits)} s`;

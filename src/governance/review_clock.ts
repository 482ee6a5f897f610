/**
 * The review clock: hours of weekdays in UTC. Saturdays and Sundays do not count.
 *
 * @module
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Hours on the review clock between two times; 0 when the second is not later.
 *
 * @param from Milliseconds since 1970.
 * @param to Milliseconds since 1970.
 */
export function reviewHours(from: number, to: number): number {
  let ms = 0;
  // Whole weeks at once: an old entry costs no more than a new one.
  const weeks = Math.max(0, Math.floor((to - from) / (7 * DAY)));
  let at = from + weeks * 7 * DAY;
  ms += weeks * 5 * DAY;
  while (at < to) {
    const midnight = (Math.floor(at / DAY) + 1) * DAY;
    const end = Math.min(midnight, to);
    if (weekday(at)) ms += end - at;
    at = end;
  }
  return ms / HOUR;
}

/**
 * When so many hours will have passed on the review clock.
 *
 * @param from Milliseconds since 1970.
 * @param hours How many.
 * @returns Milliseconds since 1970.
 */
export function reviewEnd(from: number, hours: number): number {
  let left = hours * HOUR;
  let at = from;
  for (;;) {
    const midnight = (Math.floor(at / DAY) + 1) * DAY;
    if (weekday(at)) {
      if (midnight - at >= left) return at + left;
      left -= midnight - at;
    }
    at = midnight;
  }
}

function weekday(ms: number): boolean {
  const day = new Date(ms).getUTCDay();
  return day !== 0 && day !== 6;
}

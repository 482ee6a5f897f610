/**
 * The straight line through samples.
 *
 * @module
 */

/** A line by least squares. */
export interface Line {
  /** Change for each unit of x. */
  readonly slope: number;
  /** Mean of y. */
  readonly mean: number;
}

/** The line through points; flat through fewer than three. */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): Line {
  const n = points.length;
  const meanOf = (i: 0 | 1): number => points.reduce((sum, point) => sum + point[i], 0) / n;
  if (n === 0) return { slope: 0, mean: 0 };
  const [x, y] = [meanOf(0), meanOf(1)];
  const square = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  if (n < 3 || square === 0) return { slope: 0, mean: y };
  const product = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return { slope: product / square, mean: y };
}

/**
 * Plain tables for a terminal: columns as wide as they need to be, no lines to draw.
 *
 * @module
 */

/** How a cell lies in its column. */
export type Align = "left" | "right";

/**
 * Lays rows out in columns.
 *
 * @param rows Cells; a missing one is empty.
 * @param align Of each column. @default {"left"}
 * @returns One line for each row.
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  align: readonly Align[] = [],
): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) => {
    return Math.max(...rows.map((row) => (row[column] ?? "").length));
  });
  return rows.map((row) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? "";
      return align[column] === "right" ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join("  ").trimEnd();
  });
}

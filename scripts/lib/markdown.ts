/**
 * Tables and generated sections of Markdown documents.
 *
 * @module
 */

/** A Markdown table, laid out as the formatter lays it out. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

/**
 * A document with its generated section anew.
 *
 * @param name Of the section: it begins with `<!-- generated: NAME -->`.
 * @param path Of the document, for errors.
 */
export function withSection(document: string, name: string, text: string, path: string): string {
  const [first, last] = [`<!-- generated: ${name} -->`, "<!-- end of generated -->"];
  const begin = document.indexOf(first);
  const end = document.indexOf(last, begin);
  if (begin === -1 || end < begin) throw new Error(`${path}: has no ${first} and ${last}`);
  return `${document.slice(0, begin)}${first}\n\n${text}\n\n${document.slice(end)}`;
}

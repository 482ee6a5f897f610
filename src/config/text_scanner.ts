/**
 * A place in a text that goes forward only. Every step takes time in proportion to what it passes.
 *
 * @module
 */

// One class and one star each: nothing to go back to when what follows is missing.
const TO_QUOTE_OR_ESCAPE = /[^"\\]*/y;
const TO_LITERAL_QUOTE = /[^']*/y;

/** See the module. */
export class TextScanner {
  /** Offset of the next character. */
  at = 0;
  readonly #text: string;

  /** @param text The text. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Whether nothing is left. */
  get ended(): boolean {
    return this.at >= this.#text.length;
  }

  /** The next character; empty at the end. */
  peek(): string {
    return this.#text.charAt(this.at);
  }

  /** What lies between an offset and here. */
  since(start: number): string {
    return this.#text.slice(start, this.at);
  }

  /** Goes past what a sticky pattern takes, and returns it; empty if it takes nothing here. */
  skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.at += taken.length;
    return taken;
  }

  /** Goes past a quoted string, of one line or, with three quotes, of many. */
  string(): void {
    const quote = this.peek();
    const triple = quote.repeat(3);
    const many = this.#text.startsWith(triple, this.at);
    this.at += many ? 3 : 1;
    while (!this.ended) {
      this.skip(quote === '"' ? TO_QUOTE_OR_ESCAPE : TO_LITERAL_QUOTE);
      if (this.peek() === "\\") this.at += 2;
      else if (!many || this.#text.startsWith(triple, this.at)) break;
      else this.at++;
    }
    this.at += many ? 3 : 1;
    // Up to two quotes may stand before the closing three.
    while (many && this.peek() === quote) this.at++;
  }
}

/** Types of the YAML parser of Deno's standard library, as far as tests use it. */

/** Parses one document. @throws {SyntaxError} When it is none. */
export declare function parse(text: string): unknown;

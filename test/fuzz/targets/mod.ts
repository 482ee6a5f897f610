/** Every fuzz target. */
import type { FuzzTarget } from "../target.ts";
import { decoder, encoder } from "./codec.ts";
import { config, text } from "./config.ts";
import { guard } from "./guard.ts";
import { hello } from "./hello.ts";
import { pem, token } from "./secrets.ts";

export const TARGETS: readonly FuzzTarget[] = [
  decoder,
  encoder,
  guard,
  hello,
  config,
  text,
  pem,
  token,
];

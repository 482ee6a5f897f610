/** What a process does that does nothing. */
import { clock } from "../clock.ts";

clock()();

// The page loads d3 by a script element, which makes it global; so does this.

import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

runInThisContext(readFileSync(new URL("../../../service/page/vendor/d3/d3.min.js", import.meta.url), "utf8"));

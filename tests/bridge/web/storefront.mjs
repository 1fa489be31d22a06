// Runs the storefront script with stand-ins for a browser's page.
// stdin: {script, cookie, href, calls: [[name, ...arguments]]}; stdout: what it posted, and what
// its calls returned.
import { readFileSync } from "node:fs";

const { script, cookie, href, calls } = JSON.parse(readFileSync(0, "utf8"));
const posted = [];
const window = {};
const fetch = async (url, request) => {
  posted.push({ url, ...request, body: JSON.parse(request.body) });
  throw new TypeError("nothing of the answer is read");
};
let number = 0;
const crypto = { randomUUID: () => `uuid-${(number += 1)}` };

new Function("window", "document", "location", "fetch", "crypto", script)(
  window, { cookie }, new URL(href), fetch, crypto,
);
const returned = calls.map(([name, ...given]) => window.capiBridge[name](...given) ?? null);
process.stdout.write(JSON.stringify({ posted, returned }));

// Runs the storefront script with stand-ins for a browser's page.
// stdin: {script, cookie, href, stored, calls: [[name, ...arguments]]}; stdout: what it posted, what
// its calls returned, and what it has stored; no storage where `stored` is null.
import { readFileSync } from "node:fs";

const { script, cookie, href, stored, calls } = JSON.parse(readFileSync(0, "utf8"));
const posted = [];
const window = {};
const fetch = async (url, request) => {
  posted.push({ url, ...request, body: JSON.parse(request.body) });
  throw new TypeError("nothing of the answer is read");
};
const localStorage = {
  getItem: (name) => stored[name] ?? null,
  setItem: (name, value) => (stored[name] = String(value)),
  removeItem: (name) => delete stored[name],
};
let number = 0;
const crypto = { randomUUID: () => `uuid-${(number += 1)}` };

new Function("window", "document", "location", "fetch", "crypto", "localStorage", script)(
  window, { cookie }, new URL(href), fetch, crypto, localStorage,
);
const returned = calls.map(([name, ...given]) => window.capiBridge[name](...given) ?? null);
process.stdout.write(JSON.stringify({ posted, returned, stored }));

// Runs a custom pixel with stand-ins for Shopify's sandbox.
// stdin: {script, cookies, stored, privacy, happenings: [[event name, event]]}; stdout: what it
// posted and what it has stored; no storage where `stored` is null.
import { readFileSync } from "node:fs";

const { script, cookies, stored, privacy, happenings } = JSON.parse(readFileSync(0, "utf8"));
const listeners = {};
const posted = [];
const analytics = { subscribe: (name, listener) => (listeners[name] = listener) };
const browser = {
  cookie: { get: async (name) => cookies[name] ?? "" },
  localStorage: {
    getItem: async (name) => stored[name] ?? null,
    setItem: async (name, value) => (stored[name] = value),
    removeItem: async (name) => delete stored[name],
  },
};
const init = { customerPrivacy: privacy };
const api = { customerPrivacy: analytics };
const fetch = async (url, request) => {
  posted.push({ url, ...request, body: JSON.parse(request.body) });
  throw new TypeError("nothing of the answer is read");
};

new Function("analytics", "browser", "init", "api", "fetch", script)(
  analytics, browser, init, api, fetch,
);
for (const [name, event] of happenings) await listeners[name](event);
process.stdout.write(JSON.stringify({ posted, stored }));

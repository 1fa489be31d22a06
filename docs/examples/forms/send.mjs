// Posts a lead to the bridge: BRIDGE_URL=... BRIDGE_SECRET=... node send.mjs lead.json
// For a server: a secret in a browser is none.
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";

// Throws unless the bridge answers 200, which means that the lead is on its disk.
async function sendLead(url, secret, lead) {
  const body = JSON.stringify(lead);
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Bridge-Signature": `sha256=${signature}`,
    },
    body,
    redirect: "error",
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.status !== 200) throw new Error(`the bridge answered ${answer.status}`);
}

const lead = JSON.parse(await readFile(process.argv[2], "utf8"));
await sendLead(process.env.BRIDGE_URL, process.env.BRIDGE_SECRET, lead);

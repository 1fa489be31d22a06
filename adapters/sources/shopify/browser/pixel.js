// A custom pixel: Settings > Customer events > Add custom pixel, permission "Marketing".
// It tells the bridge what the shop's webhooks lack: cookies, page, consent, and what happens
// before a checkout.  Purchases are never told here; they come from the signed order webhook.
// Source: shopify.dev/docs/api/web-pixels-api, standard events and pixel privacy (read 2026-11-23).

const COLLECT_URL = "https://bridge.example/collect/KEY";
const CONSENT_AT = "capi_bridge_consent_at";
const LONGEST_SEARCH = 100;
// Pages whose path is a key to somebody's checkout, order or account.
const PRIVATE_PAGE = /(^|\/)(account|authenticate|cart|checkouts?|orders)(\/|$)|^\/\d/i;

let privacy = init.customerPrivacy;
let answered; // the last answer is noted once this is done
api.customerPrivacy.subscribe("visitorConsentCollected", (event) => {
  const unbroken = privacy?.marketingAllowed && event.customerPrivacy?.marketingAllowed;
  privacy = event.customerPrivacy;
  if (!unbroken) answered = forgetGrant();
});

// Ids come as numbers or as gid://shopify/ProductVariant/1.
const digits = (id) => (String(id ?? "").match(/(\d+)(?!.*\d)/) || [])[1];

function content(variant, quantity) {
  return {
    product_id: digits(variant?.product?.id),
    variant_id: digits(variant?.id),
    sku: variant?.sku || undefined,
    quantity,
    item_price: variant?.price?.amount,
  };
}

// The value of what was added or seen, not of the whole cart.
function product(variant, quantity = 1) {
  const price = variant?.price?.amount;
  return {
    value: price === undefined ? undefined : Math.round(price * quantity * 1000) / 1000,
    currency: variant?.price?.currencyCode,
    contents: [content(variant, quantity)],
  };
}

function basket(checkout) {
  return {
    value: checkout.totalPrice?.amount,
    currency: checkout.currencyCode,
    contents: (checkout.lineItems || []).map((line) => content(line.variant, line.quantity)),
  };
}

// What a visitor types may be personal.
function search(query) {
  const words = String(query ?? "").slice(0, LONGEST_SEARCH);
  return words && !words.includes("@") ? { search_string: words } : {};
}

function page(href) {
  try {
    const url = new URL(href);
    if (!url.protocol.startsWith("http")) return undefined;
    const marks = [...url.searchParams].filter(([key]) => key.startsWith("utm_"));
    const path = PRIVATE_PAGE.test(url.pathname) ? "/" : url.pathname;
    return url.origin + path + (marks.length ? `?${new URLSearchParams(marks)}` : "");
  } catch {
    return undefined;
  }
}

async function cookie(name) {
  try {
    return decodeURIComponent((await browser.cookie.get(name)) || "") || undefined;
  } catch {
    return undefined;
  }
}

// The tokens that the shop's webhooks know too.  The cart's cookie may end in ?key=...
async function keys(checkout) {
  const found = [];
  const cart = (await cookie("cart"))?.split("?")[0];
  if (cart) found.push(`cart:${cart}`);
  if (checkout?.token) found.push(`checkout:${checkout.token}`);
  return found;
}

// When a grant was first seen: it counts for nothing that happened before.
async function grantedAt() {
  try {
    const known = Number(await browser.localStorage.getItem(CONSENT_AT));
    if (known) return known;
    const now = Date.now();
    await browser.localStorage.setItem(CONSENT_AT, String(now));
    return now;
  } catch {
    return Date.now();
  }
}

async function forgetGrant() {
  try {
    await browser.localStorage.removeItem(CONSENT_AT);
  } catch {
    // Without storage there is nothing to forget.
  }
}

async function visitor(checkout, url) {
  await answered;
  const marketing = privacy?.marketingAllowed;
  const consent = { marketing, sale_of_data: privacy?.saleOfDataAllowed };
  const known = { keys: await keys(checkout), consent };
  if (marketing === false) {
    await forgetGrant();
    return known; // the refusal is handed on, and nothing else
  }
  if (marketing) consent.at = await grantedAt();
  return { ...known, url, fbp: await cookie("_fbp"), fbc: await cookie("_fbc") };
}

async function tell(event, checkout, name, id, customData) {
  const url = page(event.context?.document?.location?.href);
  const who = await visitor(checkout, url);
  const silent = !name || who.consent.marketing === false;
  if (silent && !who.keys.length) return;
  const told = {
    event_name: name,
    event_id: id,
    event_time: Math.floor(Date.parse(event.timestamp) / 1000),
    event_source_url: url,
    custom_data: customData,
  };
  // By `sent_at` the bridge knows by how much this browser's clock is wrong.
  const body = JSON.stringify({ events: silent ? [] : [told], visitor: who, sent_at: Date.now() });
  // Plain text and no-cors: the sandbox has no origin, and nothing of the answer is read.
  const headers = { "Content-Type": "text/plain" };
  const request = { method: "POST", mode: "no-cors", keepalive: true, headers, body };
  await fetch(COLLECT_URL, request).catch(() => {});
}

// Event ids are the bridge's public formula; see bridge/events/ids.py.
analytics.subscribe("product_viewed", (event) =>
  tell(event, null, "ViewContent", `ViewContent.${event.id}`, product(event.data?.productVariant)),
);

analytics.subscribe("search_submitted", (event) =>
  tell(event, null, "Search", `Search.${event.id}`, search(event.data?.searchResult?.query)),
);

analytics.subscribe("product_added_to_cart", (event) => {
  const line = event.data?.cartLine;
  const added = product(line?.merchandise, line?.quantity);
  return tell(event, null, "AddToCart", `cart.${event.id}`, added);
});

// Told each time a checkout is entered; its id is the same each time.
analytics.subscribe("checkout_started", (event) => {
  const checkout = event.data?.checkout || {};
  const id = `checkout.${checkout.token}`;
  return tell(event, checkout, checkout.token && "InitiateCheckout", id, basket(checkout));
});

analytics.subscribe("payment_info_submitted", (event) => {
  const checkout = event.data?.checkout || {};
  const id = `payment.${checkout.token}`;
  return tell(event, checkout, checkout.token && "AddPaymentInfo", id, basket(checkout));
});

// Only who it was: the order's webhook has the same checkout token.
analytics.subscribe("checkout_completed", (event) => tell(event, event.data?.checkout));

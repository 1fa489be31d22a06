// The storefront script: tells the bridge what webhooks lack, and what happens before an order.
//
//   capiBridge.consent(true)                           the visitor's choice, on each page: true or false
//   capiBridge.keys("cart:TOKEN")                      unguessable tokens that the webhooks know too
//   capiBridge.track("ViewContent", {value: 12.5, currency: "EUR", contents: [{id: "7", quantity: 1}]})
//
// Nothing but the choice itself is told of somebody who said no.  A purchase is never told
// here: it comes from the shop's signed webhook.
(() => {
  "use strict";
  const COLLECT_URL = "https://bridge.example/collect/KEY";
  const GRANTED_AT = "capi_bridge_consent_at";
  const state = { keys: [], consent: {} };

  const cookie = (name) =>
    (document.cookie.match(`(?:^|; )${name}=([^;]*)`) || [])[1] || undefined;

  const page = () => {
    const marks = [...new URLSearchParams(location.search)].filter(([key]) => key.startsWith("utm_"));
    const query = new URLSearchParams(marks).toString();
    return location.origin + location.pathname + (query ? `?${query}` : "");
  };

  // When a grant was first seen: it counts for nothing that happened before.
  const grantedAt = () => {
    try {
      const known = Number(localStorage.getItem(GRANTED_AT)) || Date.now();
      localStorage.setItem(GRANTED_AT, known);
      return known;
    } catch {
      return Date.now();
    }
  };

  const forgetGrant = () => {
    try {
      localStorage.removeItem(GRANTED_AT);
    } catch {
      // Without storage there is nothing to forget.
    }
    return Date.now();
  };

  const tell = (events) => {
    const denied = state.consent.marketing === false;
    const visitor = { keys: state.keys, consent: state.consent };
    if (!denied) Object.assign(visitor, { fbp: cookie("_fbp"), fbc: cookie("_fbc"), url: page() });
    if (denied && !state.keys.length) return;
    const body = JSON.stringify({ events: denied ? [] : events, visitor, sent_at: Date.now() });
    const headers = { "Content-Type": "text/plain" };
    fetch(COLLECT_URL, { method: "POST", mode: "no-cors", keepalive: true, headers, body }).catch(() => {});
  };

  window.capiBridge = {
    consent(marketing) {
      state.consent = { marketing: Boolean(marketing), at: marketing ? grantedAt() : forgetGrant() };
      tell([]);
    },
    keys(...tokens) {
      state.keys = [...new Set([...state.keys, ...tokens.map(String)])].slice(0, 8);
      tell([]);
    },
    track(name, data = {}, id = crypto.randomUUID()) {
      tell([{
        event_name: name,
        event_id: `${name}.${id}`,
        event_time: Math.floor(Date.now() / 1000),
        event_source_url: page(),
        custom_data: data,
      }]);
      return `${name}.${id}`;
    },
  };
})();

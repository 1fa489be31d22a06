"""The GraphQL documents sent to the Admin API, one named operation each.

`scripts/check_admin_schema.py` checks all of them against Shopify's published schemas.
"""

ACCESS = """
query Access {
  currentAppInstallation { accessScopes { handle } }
  publicApiVersions { handle supported }
}
"""

RECENT_WEB_ORDERS = """
query RecentWebOrders {
  orders(first: 20, sortKey: CREATED_AT, reverse: true, query: "source_name:web") {
    nodes {
      email
      billingAddress { firstName lastName }
      shippingAddress { firstName lastName }
    }
  }
}
"""

SUBSCRIPTIONS = """
query Subscriptions($after: String, $topics: [WebhookSubscriptionTopic!]) {
  webhookSubscriptions(first: 100, after: $after, topics: $topics) {
    nodes { id topic uri format filter includeFields apiVersion { handle } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id topic uri format filter includeFields apiVersion { handle } }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}
"""

CHANGED_ORDERS = """
query ChangedOrders($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { legacyResourceId updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

COUNT_ORDERS = """
query CountOrders($query: String!) {
  ordersCount(query: $query, limit: null) { count precision }
}
"""

ORDER_BODIES = """
query OrderBodies($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Order {
      legacyResourceId name number createdAt processedAt updatedAt cancelledAt test tags
      sourceName displayFinancialStatus paymentGatewayNames
      email phone clientIp cartToken checkoutToken
      currencyCode presentmentCurrencyCode taxesIncluded dutiesIncluded
      customAttributes { key value }
      customerJourneySummary { lastVisit { landingPage referrerUrl } }
      totalPriceSet { ...Money }
      totalTaxSet { ...Money }
      totalShippingPriceSet { ...Money }
      originalTotalDutiesSet { ...Money }
      originalTotalAdditionalFeesSet { ...Money }
      customer {
        legacyResourceId firstName lastName
        defaultEmailAddress { emailAddress }
        defaultPhoneNumber { phoneNumber }
        defaultAddress { ...Address }
      }
      billingAddress { ...Address }
      shippingAddress { ...Address }
      lineItems(first: 50) {
        nodes {
          title sku quantity isGiftCard
          product { id }
          variant { id }
          sellingPlan { sellingPlanId }
          originalUnitPriceSet { ...Money }
          discountAllocations { allocatedAmountSet { ...Money } }
          taxLines { rate priceSet { ...Money } }
        }
      }
      shippingLines(first: 10) {
        nodes {
          originalPriceSet { ...Money }
          discountAllocations { allocatedAmountSet { ...Money } }
          taxLines { rate priceSet { ...Money } }
        }
      }
    }
  }
}
fragment Money on MoneyBag {
  shopMoney { amount currencyCode }
  presentmentMoney { amount currencyCode }
}
fragment Address on MailingAddress {
  firstName lastName city zip province provinceCode countryCodeV2 phone
}
"""

UNIT_COSTS = """
query UnitCosts($first: Int!, $after: String) {
  productVariants(first: $first, after: $after) {
    nodes { legacyResourceId sku inventoryItem { unitCost { amount } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

import type { Environment } from './environment.js';
import type { PurchaseSettings } from './slices.js';

export const purchaseSettings = (env: Environment): PurchaseSettings => ({
  ...packAndPrice(env),
  ...agreement(env),
  ...offerAndBurn(env),
});

function packAndPrice(env: Environment) {
  const fixed = env.number('FIXED_PSL_PRICE_IN_USD', 0, 'Price of 1 PSL where there is no market; 0 asks the market');
  return {
    creditsMin: env.integer('MINIMUM_CREDITS_PER_CREDIT_PACK', 10, 'Smallest pack', { min: 1 }),
    creditsMax: env.integer('MAXIMUM_CREDITS_PER_CREDIT_PACK', 1_000_000, 'Largest pack', { min: 1, max: 1_000_000_000 }),
    targetUsdPerCredit: env.number('TARGET_VALUE_PER_CREDIT_IN_USD', 0.01, 'Value of a credit before the margin', { min: 1e-9 }),
    targetProfitMargin: env.number('TARGET_PROFIT_MARGIN', 0.15, 'Share of the price that is profit', { max: 0.99 }),
    fixedUsdPerPsl: fixed > 0 ? fixed : undefined,
    priceMaxAgeMs: env.integer('MARKET_PRICE_MAX_AGE_IN_SECONDS', 300, 'How long a market price is kept', { min: 1 }) * 1000,
  };
}

function agreement(env: Environment) {
  return {
    priceDifferenceMax: env.number(
      'MAXIMUM_LOCAL_CREDIT_PRICE_DIFFERENCE_TO_ACCEPT_CREDIT_PRICING',
      0.05,
      "How far a peer's price may be off, both ends included",
      { max: 1 },
    ),
    candidatesMin: env.integer(
      'MINIMUM_NUMBER_OF_POTENTIALLY_AGREEING_SUPERNODES',
      10,
      'With fewer peers than this the blacklist is ignored',
    ),
    quorum: env.number('SUPERNODE_CREDIT_PRICE_AGREEMENT_QUORUM_PERCENTAGE', 0.51, 'Share of the peers asked that must answer', {
      max: 1,
    }),
    majority: env.number('SUPERNODE_CREDIT_PRICE_AGREEMENT_MAJORITY_PERCENTAGE', 0.51, 'Share of the answers that must agree', {
      max: 1,
    }),
    majorityOfAsked: env.number(
      'SUPERNODE_CREDIT_PRICE_AGREEMENT_SHARE_OF_ASKED',
      0.65,
      'Share of the peers asked that must agree, so that every later check accepts the ticket',
      { max: 1 },
    ),
    peerTimeoutMs:
      env.integer('INDIVIDUAL_SUPERNODE_PRICE_AGREEMENT_REQUEST_TIMEOUT_PERIOD_IN_SECONDS', 15, 'Limit for one vote', {
        min: 1,
      }) * 1000,
  };
}

function offerAndBurn(env: Environment) {
  return {
    burnWindowBlocks: env.integer(
      'MAXIMUM_NUMBER_OF_PASTEL_BLOCKS_FOR_USER_TO_SEND_BURN_AMOUNT_FOR_CREDIT_TICKET',
      50,
      'Blocks within which the burn must be mined',
      { min: 1 },
    ),
    burnConfirmations: env.integer(
      'MINIMUM_CONFIRMATION_BLOCKS_FOR_CREDIT_PACK_BURN_TRANSACTION',
      1,
      'Blocks on the burn before the ticket is written',
      { min: 1 },
    ),
    overpaidBurnConfirmations: env.integer(
      'CONFIRMATION_BLOCKS_FOR_OVERPAID_BURN',
      3,
      'The same for a burn that is larger than the offer and not tied to the tracking address',
      { min: 1 },
    ),
    storageRetryBlocks: env.integer(
      'MINIMUM_NUMBER_OF_PASTEL_BLOCKS_BEFORE_TICKET_STORAGE_RETRY_ALLOWED',
      10,
      'Blocks before another supernode may store the ticket',
    ),
    openOffersPerPastelIdMax: env.integer('OPEN_OFFERS_PER_PASTELID_MAX', 10, 'Offers that one PastelID may have open', {
      min: 1,
    }),
    offerMinutes: env.integer('QUOTE_LIFE_IN_MINUTES', 30, 'Life of a price quote', { min: 1 }),
    ticketScanHeight: env.integer('TICKET_SCAN_START_HEIGHT', 700_000, 'Height of the first credit pack ticket'),
  };
}

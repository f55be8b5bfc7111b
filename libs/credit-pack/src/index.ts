export { CreditPackModule, creditPackEntities } from './credit-pack.module.js';
export { CreditPackSweeps } from './credit-pack-sweeps.service.js';
export * from './pack-ledger.js';
export { PackReconciliation, type Difference, type HeldFor, type Reconciliation } from './pack-reconciliation.service.js';

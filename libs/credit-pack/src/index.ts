export { CreditPackModule, creditPackEntities } from './credit-pack.module.js';
export { CreditPackSweeps } from './credit-pack-sweeps.service.js';
export * from './ledger/pack-ledger.js';
export { PackChainAudit } from './ledger/pack-chain-audit.service.js';
export {
  PackReconciliation,
  type Difference,
  type Frozen,
  type HeldFor,
  type Reconciliation,
} from './ledger/pack-reconciliation.service.js';

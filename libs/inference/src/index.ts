export { InferenceModule } from './inference.module.js';
/** For the data source. */
export { entities as inferenceEntities } from './inference.entities.js';
export { InferenceSweeps } from './inference-sweeps.service.js';
export { ModelCatalog } from './menu/model-catalog.service.js';
export { Reconciliation, type Books } from './books/reconciliation.service.js';
/** Every model service that may be set up: for the settings. */
export { providers } from './providers/index.js';
export { ResultService, type RequestStatus } from './results/result.service.js';

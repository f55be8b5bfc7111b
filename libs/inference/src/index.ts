export { Downloads } from './downloads.service.js';
export { InferenceModule } from './inference.module.js';
/** For the data source. */
export { entities as inferenceEntities } from './inference.entities.js';
export { InferenceSweeps } from './inference-sweeps.service.js';
export { ModelCatalog } from './model-catalog.service.js';
export { Reconciliation, type Books } from './reconciliation.service.js';
export { ResultService, type RequestStatus } from './result.service.js';

export { ConfirmationService } from './confirmation.service.js';
export { ExecutionService } from './execution.service.js';
export { InferenceModule } from './inference.module.js';
/** For the data source. */
export { entities as inferenceEntities } from './inference.entities.js';
export { ModelCatalog } from './model-catalog.service.js';
export { ResultService, type RequestStatus } from './result.service.js';

export { CompletedRequests, type CompletedRequest } from './completed-requests.js';
export { MeasuredPeerHealth, PeerHealth } from './peer-health.js';
export { RatingsModule } from './ratings.module.js';
/** For the data source. */
export { entities as reputationEntities } from './reputation.entities.js';
export { ReputationModule } from './reputation.module.js';
export { StandingService, type Reputation } from './standing.service.js';

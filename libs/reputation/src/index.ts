export { LivenessProbe, PeerHealth } from './peer-health.js';
export { ReputationModule } from './reputation.module.js';

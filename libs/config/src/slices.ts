import type { Environment } from './environment.js';
import type { Network } from '#protocol';

// Each slice is a class, so that it is its own injection token and a service asks for just the slice it uses.
export class RpcSettings {
  readonly host!: string;
  readonly port!: number;
  readonly user!: string;
  readonly password!: string;
  readonly timeoutMs!: number;
  readonly concurrentRequestsMax!: number;
  /** How long a supernode list may be served before it is fetched again. */
  readonly supernodeListMaxAgeMs!: number;
}
export class IdentitySettings {
  /** Which PastelID the node signs with; found through `masternode status` when absent. */
  readonly pastelId!: string | undefined;
  readonly passphrase!: string | undefined;
}
export class HttpSettings {
  readonly host!: string;
  readonly port!: number;
  readonly bodyBytesMax!: number;
  readonly challengeSeconds!: number;
  readonly challengesOpenMax!: number;
  readonly challengesOpenPerPastelIdMax!: number;
  readonly localhostOnlyDisabled!: boolean;
  readonly connectionsMax!: number;
  readonly operatorToken!: string | undefined;
  readonly corsOrigins!: readonly string[];
  readonly trustedProxies!: readonly string[];
  readonly requestsPerMinutePerIp!: number;
  readonly requestsPerMinutePerPastelId!: number;
  readonly dryRunsPerMinutePerIp!: number;
  readonly limitLoopback!: boolean;
  readonly shutdownGraceMs!: number;
}
export class DatabaseSettings {
  readonly url!: string;
}
export class PeerSettings {
  /** `listed`: the port of the supernode list's address; clients of the public network know 7123 alone. */
  readonly apiPort!: number | 'listed';
  readonly messagingTimeoutMs!: number;
  readonly concurrentRequestsMax!: number;
}
export class FreshnessSettings {
  readonly timestampSecondsMax!: number;
  readonly blocksMax!: number;
}
export class PurchaseSettings {
  readonly creditsMin!: number;
  readonly creditsMax!: number;
  readonly targetUsdPerCredit!: number;
  readonly targetProfitMargin!: number;
  readonly priceDifferenceMax!: number;
  readonly candidatesMin!: number;
  readonly quorum!: number;
  readonly majority!: number;
  /** Share of all that were asked which every later check of the ticket demands. */
  readonly majorityOfAsked!: number;
  readonly peerTimeoutMs!: number;
  readonly burnWindowBlocks!: number;
  readonly burnConfirmations!: number;
  /** An over-paid burn that nothing ties to the buyer waits longer, so that its true owner's ticket would show first. */
  readonly overpaidBurnConfirmations!: number;
  readonly storageRetryBlocks!: number;
  readonly openOffersPerPastelIdMax!: number;
  readonly offerMinutes!: number;
  /** Fixed price, as on the devnet; otherwise the market is asked. */
  readonly fixedUsdPerPsl!: number | undefined;
  readonly priceMaxAgeMs!: number;
  readonly ticketScanHeight!: number;
}
export class InferenceSettings {
  readonly minimumCostTenths!: number;
  readonly confirmationBlocks!: number;
  readonly resultRetentionDays!: number;
  readonly openQuotesPerPastelIdMax!: number;
  readonly executionsMax!: number;
  readonly executionSecondsMax!: number;
  readonly executionAttemptsMax!: number;
  /** How long a paid request may wait for a provider that is away. */
  readonly executionWaitSecondsMax!: number;
  /** Files on their way to a model service that fetches them by a link. */
  readonly downloadDirectory!: string;
  /** Under which such a service reaches this node; the listening address if not set. */
  readonly downloadBaseUrl!: string | undefined;
  /** Addresses beside those of the service's own URL from which it fetches them. */
  readonly downloadReaders!: readonly string[];
  /** `host:port` that requests may go to although they are private, beside the URLs of the providers. */
  readonly outgoingPrivateAddresses!: readonly string[];
  /** What scales the raw numbers of local models to credits (inference spec 4.1). */
  readonly creditCostMultiplier!: number;
}
export class MenuSettings {
  /** Always https. */
  readonly url!: string | undefined;
  /** Hex, lower case. One of `sha256` and `signer` is set where `url` is. */
  readonly sha256!: string | undefined;
  /** A PastelID. */
  readonly signer!: string | undefined;
  readonly refreshMs!: number;
  readonly directory!: string;
  /** The types of a parameter as the text of a Python list (inference spec 1.2). */
  readonly typesAsText!: boolean;
}
/** A model service as the settings know it: who it is, and which variables it reads. */
export interface ProviderVariables {
  readonly name: string;
  /** `undefined`: the operator has not set it up. */
  setUp(env: Environment): unknown;
}
export class ProviderSettings {
  /** What each provider that is set up made of its variables, by its name. */
  readonly options!: ReadonlyMap<string, unknown>;
}
export class MessagingSettings {
  readonly obsoleteAfterDays!: number;
  readonly userMessagesKeptDays!: number;
  readonly pollSeconds!: number;
  readonly audience!: number;
}
export class LogSettings {
  readonly level!: string;
  readonly file!: string;
  readonly toConsole!: boolean;
}
export class NetworkSettings {
  readonly network!: Network;
}

/** Everything that an operator can set, checked. */
export interface Settings {
  readonly network: NetworkSettings;
  readonly rpc: RpcSettings;
  readonly identity: IdentitySettings;
  readonly http: HttpSettings;
  readonly database: DatabaseSettings;
  readonly peers: PeerSettings;
  readonly freshness: FreshnessSettings;
  readonly purchase: PurchaseSettings;
  readonly inference: InferenceSettings;
  readonly menu: MenuSettings;
  readonly providers: ProviderSettings;
  readonly messaging: MessagingSettings;
  readonly log: LogSettings;
  /** Every secret that is set: what a log must never show. */
  readonly secrets: readonly string[];
  /** What the operator should mend, though the node runs. */
  readonly warnings: readonly string[];
}

/** One supernode as this node measured it. */
export interface PeerReport {
  readonly outpoint: string;
  readonly pastelid: string | null;
  readonly ip_address: string;
  readonly answers: boolean;
  readonly asked: string;
  readonly last_answer: string | null;
  /** Answered pings of the last three days, 0 to 1. */
  readonly share_answered: number | null;
  readonly raw_benchmark_score: number | null;
  readonly performance_ratio_score: number | null;
}
export interface NetworkReport {
  readonly answering: number;
  readonly not_answering: number;
  readonly supernodes: PeerReport[];
}

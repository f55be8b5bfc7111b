import { InferenceAPIUsageRequest, InferenceAPIUsageResponse } from '#protocol';
import type { Candidate } from './choice.js';
import { messageIn, messageText } from './message-text.js';

/** An inference from the moment before its burn on: plain JSON, for a journal. */
export interface InferenceState {
  readonly owner: string;
  readonly supernodePastelId: string;
  readonly supernodeUrl: string;
  /** Request and quote as JSON texts, numbers as they were hashed. */
  readonly request: string;
  readonly response: string;
  readonly trackingAddress: string;
  /** What is burned, and so the cost in tenths of credits. */
  readonly patoshis: number;
  /** The burn cannot stand below. */
  readonly fromHeight: number;
  readonly burnTxid?: string;
  /** It was looked up on the chain: another request of the same cost may have made it. */
  readonly isFound?: true;
  /** Burns that were found so, and that the supernode knows to be another request's. */
  readonly except?: readonly string[];
}

export interface Quoted {
  readonly candidate: Candidate;
  readonly request: InferenceAPIUsageRequest;
  readonly response: InferenceAPIUsageResponse;
  readonly costTenths: number;
}

export const paying = (owner: string, quoted: Quoted, trackingAddress: string, fromHeight: number): InferenceState => ({
  owner,
  supernodePastelId: quoted.candidate.pastelId,
  supernodeUrl: quoted.candidate.client.url,
  request: messageText(quoted.request),
  response: messageText(quoted.response),
  trackingAddress,
  patoshis: quoted.costTenths,
  fromHeight,
});

export const requestIn = ({ request }: InferenceState): InferenceAPIUsageRequest =>
  messageIn(InferenceAPIUsageRequest, request, 'the inference');
export const responseIn = ({ response }: InferenceState): InferenceAPIUsageResponse =>
  messageIn(InferenceAPIUsageResponse, response, 'the inference');

import {
  BlockHeight,
  Message,
  OwnHash,
  PastelId,
  PythonFloat,
  Signature,
  Signer,
  Text,
  Txid,
  UtcTimestamp,
  Uuid,
  UuidV4,
  Version,
  type Sealed,
} from '../kernel/fields.js';
import type { PythonNumber } from '../kernel/python-number.js';

/** A supernode's word on credits that were burned for a request and not served (inference spec 5.7 [FIX]). One for each request at most. */
@Message('plain')
export class CreditNote {
  @UuidV4({ key: 'unique' }) credit_note_id!: string;
  @Uuid({ key: 'unique' }) inference_request_id!: string;
  @Uuid() inference_response_id!: string;
  @Signer({ key: 'index' }) responding_supernode_pastelid!: string;
  @PastelId({ key: 'index' }) requesting_pastelid!: string;
  @Txid() credit_pack_ticket_pastel_txid!: string;
  /** The burn that was not served. */
  @Txid({ key: 'unique' }) burn_txid!: string;
  @PythonFloat() credits_owed!: PythonNumber;
  @Text() reason!: string;
  @UtcTimestamp() credit_note_utc_iso_string!: string;
  @BlockHeight() credit_note_pastel_block_height!: number;
  @Version() credit_note_message_version_string!: string;
  @OwnHash() sha3_256_hash_of_credit_note_fields!: Sealed;
  @Signature() responding_supernode_signature_on_credit_note_hash!: Sealed;
}

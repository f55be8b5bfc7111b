import { ApiProperty } from '@nestjs/swagger';
import { IsObject, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { kinds } from '#protocol';

const UUID = new RegExp(kinds.uuid.shown.pattern!);
const NAME_LENGTH_MAX = 200;
const PARAMETERS_LENGTH_MAX = 200_000;

/** A question for a price, with the names of the first clients (inference spec 2.2). */
export class ValidationQuestion {
  @ApiProperty(kinds.pastelId.shown as object)
  @IsString()
  @MaxLength(NAME_LENGTH_MAX)
  requesting_pastelid!: string;

  @ApiProperty({ ...(kinds.txid.shown as object), description: 'Txid of the credit pack, or of the burn that paid for it' })
  @Matches(new RegExp(kinds.txid.shown.pattern!), { message: 'credit_pack_identifier should be a txid' })
  credit_pack_identifier!: string;

  @ApiProperty({ example: 'some-model' })
  @IsString()
  @MaxLength(NAME_LENGTH_MAX)
  requested_model_canonical_string!: string;

  @ApiProperty({ example: '{"number_of_tokens_to_generate": 200}', description: 'JSON text' })
  @IsString()
  @MaxLength(PARAMETERS_LENGTH_MAX)
  model_parameters_json!: string;

  @ApiProperty(kinds.base64.shown as object)
  @IsString()
  model_input_data_json_b64!: string;

  @ApiProperty({ required: false, example: 'text_completion', description: 'The first that the model can do, where absent' })
  @IsOptional()
  @IsString()
  @MaxLength(NAME_LENGTH_MAX)
  model_inference_type_string?: string;
}

export class ConfirmationStep {
  @ApiProperty(kinds.uuid.shown as object)
  @Matches(UUID, { message: 'inference_request_id should be a UUID' })
  inference_request_id!: string;

  @ApiProperty(kinds.burnReference.shown as object)
  @IsObject()
  confirmation_transaction!: { txid?: unknown };
}

/** What another component of this machine computed for a paid request. */
export class HandedInResult {
  @ApiProperty(kinds.uuid.shown as object)
  @Matches(UUID, { message: 'inference_request_id should be a UUID' })
  inference_request_id!: string;

  @ApiProperty(kinds.uuid.shown as object)
  @Matches(UUID, { message: 'inference_response_id should be a UUID' })
  inference_response_id!: string;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { output_text: 'Hello' } })
  @IsObject()
  output_results!: Record<string, unknown>;
}

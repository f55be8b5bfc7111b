import { ApiProperty } from '@nestjs/swagger';
import { IsBase64, IsNumber, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { kinds } from '#protocol';

const PASTELID = new RegExp(kinds.pastelId.shown.pattern!);
const UUID = new RegExp(kinds.uuid.shown.pattern!);
const HASH = new RegExp(kinds.sha3Hex.shown.pattern!);

/** The original's body, and what makes a score mean something: who says it, of which request, signed. */
export class RatingInput {
  @ApiProperty(kinds.pastelId.shown as object)
  @IsString()
  @MaxLength(200)
  supernode_pastelid!: string;

  @ApiProperty({ type: 'number', minimum: 0, maximum: 5, example: 4.5, description: '0 to 5, two decimals at most' })
  @IsNumber()
  reputation_score!: number;

  @ApiProperty({ ...(kinds.pastelId.shown as object), required: false, description: 'Whose request it was' })
  @IsOptional()
  @Matches(PASTELID, { message: 'pastelid should be a PastelID' })
  pastelid?: string;

  @ApiProperty({ ...(kinds.uuid.shown as object), required: false, description: 'The id of the response' })
  @IsOptional()
  @Matches(UUID, { message: 'inference_response_id should be a UUID' })
  inference_response_id?: string;

  @ApiProperty({ ...(kinds.uuid.shown as object), required: false, description: 'Or that of the request' })
  @IsOptional()
  @Matches(UUID, { message: 'inference_request_id should be a UUID' })
  inference_request_id?: string;

  @ApiProperty({
    ...(kinds.sha3Hex.shown as object),
    required: false,
    description: 'sha3_256_hash_of_inference_result_fields of the result that was received',
  })
  @IsOptional()
  @Matches(HASH, { message: 'inference_result_hash should be a SHA3-256 hash' })
  inference_result_hash?: string;

  @ApiProperty({
    ...(kinds.signature.shown as object),
    required: false,
    description: 'Over the text of docs/reputation.md; a rating without it is not taken',
  })
  @IsOptional()
  @IsBase64()
  @MaxLength(400)
  signature?: string;
}

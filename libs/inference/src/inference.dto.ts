import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength } from 'class-validator';
import type { AuditQuestion } from './results/result.service.js';

/** Body of both audits: no challenge, but a signature over the id itself (inference spec 2.1, 7/8). */
export class AuditBody implements AuditQuestion {
  @ApiProperty({ description: 'Id of the response, or of the request', format: 'uuid' })
  @IsString()
  @Matches(/^[0-9a-fA-F-]{36}$/, { message: 'inference_response_id should be a UUID' })
  inference_response_id!: string;

  @ApiProperty({ description: "The requester's PastelID" })
  @IsString()
  @Matches(/^jX[1-9A-HJ-NP-Za-km-z]{84}$/, { message: 'pastel_id should be a PastelID' })
  pastel_id!: string;

  @ApiProperty({ description: 'Signature of that PastelID over the id, base64' })
  @IsString()
  @MaxLength(400)
  signature!: string;
}

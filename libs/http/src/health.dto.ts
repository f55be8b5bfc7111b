import { ApiProperty } from '@nestjs/swagger';

/** Whether this process can serve, and what keeps it from it. */
export class Health {
  @ApiProperty({ enum: ['ok', 'error'], example: 'ok' }) status!: 'ok' | 'error';
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { process: 'ok', database: 'ok', chain: 'ok' },
    description: '`ok`, or what is wrong',
  })
  checks!: Readonly<Record<string, string>>;
}

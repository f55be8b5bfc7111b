import { ApiProperty } from '@nestjs/swagger';
import { IsObject, IsOptional, IsString, MaxLength } from 'class-validator';

const NAME_LENGTH_MAX = 200;
const PARAMETERS_LENGTH_MAX = 256 * 1024;
/** Larger files are priced when a signed request comes. */
const INPUT_LENGTH_MAX = 16 * 2 ** 20;

/** What somebody might ask for. Parameters and input come as they are, or as the base64 that a request has. */
export class DryRunQuestion {
  @ApiProperty({ example: 'some-model', description: 'A name of the menu' })
  @IsString()
  @MaxLength(NAME_LENGTH_MAX)
  model!: string;

  @ApiProperty({ required: false, example: 'text_completion', description: 'The first that the model can do, where absent' })
  @IsOptional()
  @IsString()
  @MaxLength(NAME_LENGTH_MAX)
  inference_type?: string;

  @ApiProperty({
    selfRequired: false,
    type: 'object',
    additionalProperties: true,
    example: { number_of_tokens_to_generate: 200 },
  })
  @IsOptional()
  @IsObject()
  parameters?: Record<string, unknown>;

  @ApiProperty({ required: false, description: 'base64 of JSON, instead of `parameters`' })
  @IsOptional()
  @IsString()
  @MaxLength(PARAMETERS_LENGTH_MAX)
  parameters_json_b64?: string;

  @ApiProperty({ required: false, example: 'Why is the sky blue?' })
  @IsOptional()
  @IsString()
  @MaxLength(INPUT_LENGTH_MAX)
  input?: string;

  @ApiProperty({ required: false, description: 'base64 of the input, instead of `input`' })
  @IsOptional()
  @IsString()
  @MaxLength(INPUT_LENGTH_MAX)
  input_b64?: string;
}

class PriceLine {
  @ApiProperty({ example: 'output tokens at most' }) what!: string;
  @ApiProperty({ example: 200 }) quantity!: number;
  @ApiProperty({ example: '0.00001', description: 'Of one, as decimal text' }) price!: string;
  @ApiProperty({ example: '0.002' }) amount!: string;
}

export class DryRunAnswer {
  @ApiProperty({ example: 'some-model' }) model!: string;
  @ApiProperty({ example: 'text_completion' }) inference_type!: string;
  @ApiProperty({ example: 0.5, description: 'What a request would be quoted now' }) cost_in_credits!: number;
  @ApiProperty({ example: 5, description: 'What would have to be burned' }) amount_in_patoshis!: number;
  @ApiProperty({ enum: ['USD', 'raw credits'], example: 'USD', description: 'Of prices and amounts' }) currency!: string;
  @ApiProperty({ type: [PriceLine] }) items!: readonly PriceLine[];
  @ApiProperty({ example: '0.00202', description: 'The sum of the lines' }) total!: string;
  @ApiProperty({ example: '117.647058823529', description: 'Credits for one unit of the currency' }) credits_per_unit!: string;
  @ApiProperty({ example: '0.237647058824', description: 'Rounded to tenths, ties to even, it is the cost; or the minimum' })
  credits_before_rounding!: string;
  @ApiProperty({ example: 0.5 }) minimum_in_credits!: number;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { number_of_tokens_to_generate: 200, temperature: 0.7 },
    description: 'As they would be run: read, held to their limits, defaults filled in',
  })
  parameters!: Readonly<Record<string, number | string>>;
  @ApiProperty({ type: [String], example: [], description: 'What may run instead at this price' }) fallback_models!: string[];
}

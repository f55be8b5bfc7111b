import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';

/** Every refusal but 413 and 422. */
export class ErrorDetail {
  @ApiProperty({ example: 'Invalid PastelID signature' }) detail!: string;
}
class FieldProblem {
  @ApiProperty({ example: 'missing' }) type!: string;
  @ApiProperty({ type: 'array', items: { oneOf: [{ type: 'string' }, { type: 'integer' }] }, example: ['body', 'challenge'] })
  loc!: (string | number)[];
  @ApiProperty({ example: 'Field required' }) msg!: string;
  @ApiProperty({ nullable: true, type: Object }) input!: unknown;
}
/** What is wrong with the input, field by field. */
export class ValidationProblems {
  @ApiProperty({ type: [FieldProblem] }) detail!: FieldProblem[];
}

const MEANINGS = {
  400: 'The request makes no sense; `detail` says why',
  401: 'The caller has not proven who they are, or the challenge was used already',
  403: 'Not for this caller',
  404: 'There is no such thing',
  409: 'Contradicts what happened before',
  413: 'The body is too large (plain text)',
  422: 'A field is missing or malformed; named in `detail`',
  429: 'Too many requests; `Retry-After` says how many seconds to wait',
  500: 'A fault of this server; nothing was stored',
  503: 'The Pastel node cannot be reached at the moment',
} as const;
export type ErrorStatus = keyof typeof MEANINGS;

/** Describes the refusals of a route for OpenAPI. */
export const ErrorAnswers = (...statuses: ErrorStatus[]) =>
  applyDecorators(
    ApiExtraModels(ErrorDetail, ValidationProblems),
    ...statuses.map((status) => {
      const description = MEANINGS[status];
      if (status === 413) return ApiResponse({ status, description, content: { 'text/plain': { schema: { type: 'string' } } } });
      return ApiResponse({
        status,
        description,
        schema: { $ref: getSchemaPath(status === 422 ? ValidationProblems : ErrorDetail) },
      });
    }),
  );

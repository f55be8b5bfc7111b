import { IsOptional, ValidateBy, ValidateIf, type ValidationOptions } from 'class-validator';
import { kinds, type Kind } from '#protocol';
import { BODY_LENGTH_MAX, isBody, type SignedUserMessage } from './user-message.rules.js';

const OfKind = <T>(
  { complaint, accepts }: Pick<Kind<T>, 'complaint' | 'accepts'>,
  options?: ValidationOptions,
): PropertyDecorator =>
  ValidateBy(
    { name: complaint[0], validator: { validate: (value: unknown) => accepts(value), defaultMessage: () => complaint[1] } },
    options,
  );

const body: Pick<Kind<string>, 'complaint' | 'accepts'> = {
  accepts: isBody,
  complaint: ['string_type', `Input should be a well-formed string without NUL of at most ${BODY_LENGTH_MAX} characters`],
};

/** A user message as either dialect sends it: the first calls the signature `signature`, the later ones `message_signature`. */
export class UserMessageInput {
  @OfKind(kinds.pastelId) from_pastelid!: string;
  @OfKind(kinds.pastelId) to_pastelid!: string;
  @OfKind(body) message_body!: string;
  @ValidateIf((given: UserMessageInput) => given.signature === undefined || given.message_signature !== undefined)
  @OfKind(kinds.signature)
  message_signature?: string;
  @IsOptional() @OfKind(kinds.signature) signature?: string;
  /** Makes a repeat recognisable. */
  @IsOptional() @OfKind(kinds.uuid) id?: string;

  inOneDialect(): SignedUserMessage & { readonly id?: string } {
    const { from_pastelid, to_pastelid, message_body, id } = this;
    const message_signature = (this.message_signature ?? this.signature)!;
    return { from_pastelid, to_pastelid, message_body, message_signature, ...(typeof id === 'string' && { id }) };
  }
}

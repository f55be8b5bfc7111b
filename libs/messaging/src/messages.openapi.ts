import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiQuery, type ApiBodyOptions } from '@nestjs/swagger';
import { kinds } from '#protocol';
import { BODY_LENGTH_MAX } from './user-message.rules.js';

type Schema = Record<string, unknown>;
const text = { type: 'string' };
const object = (properties: Record<string, Schema>, example?: Schema): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
  ...(example && { example }),
});

const ALICE = `jX${'A'.repeat(84)}`;
const BOB = `jX${'B'.repeat(84)}`;
const pastelId: Schema = { ...kinds.pastelId.shown };
const uuid: Schema = { type: 'string', format: 'uuid' };
const time: Schema = { type: 'string', format: 'date-time' };
const signature: Schema = { ...kinds.signature.shown };
const SIGNED = `${'A'.repeat(152)}`;
const ID = '6f1c1a54-0f5e-4b8e-9c53-6d1f4b1f0a11';
const NOON = '2024-06-01T12:00:00.000Z';

/** The arguments of the sending routes: in the query as the original has them, or in a JSON body. */
export function MessageArgument(receiver: 'receiving_sn_pastelid' | 'list_of_receiving_sn_pastelids', { optional = false } = {}) {
  const receivers: Schema = receiver === 'receiving_sn_pastelid' ? pastelId : { type: 'array', items: pastelId };
  const example = {
    message: 'hello',
    message_type: 'greeting',
    [receiver]: receiver === 'receiving_sn_pastelid' ? ALICE : [ALICE, BOB],
  };
  const passphrase = { ...text, deprecated: true, description: 'Not looked at: the node signs with its own key' };
  return applyDecorators(
    ApiQuery({ name: 'message', required: false, schema: text }),
    ApiQuery({ name: 'message_type', required: false, schema: text }),
    ApiQuery({ name: receiver, required: false, schema: receivers }),
    ApiQuery({ name: 'pastelid_passphrase', required: false, schema: passphrase }),
    ApiBody({
      required: false,
      description: 'Instead of the query; all but the passphrase is needed in one of the two places',
      schema: {
        type: 'object',
        required: ['message', 'message_type', ...(optional ? [] : [receiver])],
        properties: { message: text, message_type: text, [receiver]: receivers, pastelid_passphrase: passphrase },
        example,
      },
    }),
  );
}

export const sendMessageResponse = (success: string) => ({
  description: 'A copy that could not be sent makes the status `error`; `deliveries` says which',
  schema: object(
    {
      status: { type: 'string', enum: ['success', 'error'] },
      message: text,
      deliveries: {
        type: 'array',
        items: {
          type: 'object',
          required: ['pastelId', 'sent'],
          properties: { pastelId, sent: { type: 'boolean' }, reason: text },
        },
      },
    },
    {
      status: 'success',
      message: `${success}: {"message": "hello", "message_type": "greeting", "signature": "...", "sending_sn_pubkey": "04..."}`,
      deliveries: [{ pastelId: ALICE, sent: true }],
    },
  ),
});

export const messageList = {
  schema: {
    type: 'array',
    items: object({ message: text, message_type: text, sending_sn_pastelid: pastelId, timestamp: time }),
    example: [{ message: 'hello', message_type: 'greeting', sending_sn_pastelid: ALICE, timestamp: '2024-06-01T12:00:00+00:00' }],
  },
};

const userMessage = {
  id: uuid,
  timestamp: time,
  from_pastelid: pastelId,
  to_pastelid: pastelId,
  message_body: text,
  message_signature: signature,
};
const firstUserMessage = { ...userMessage, signature };
const USER_MESSAGE = {
  id: ID,
  timestamp: NOON,
  from_pastelid: ALICE,
  to_pastelid: BOB,
  message_body: '"hello"',
  message_signature: SIGNED,
};

export const userMessageList = { schema: { type: 'array', items: object(userMessage), example: [USER_MESSAGE] } };
export const firstUserMessageList = {
  schema: { type: 'array', items: object(firstUserMessage), example: [{ ...USER_MESSAGE, signature: SIGNED }] },
};

export const takenUserMessage = {
  description: '`id` is fresh in each answer; the id of the message is `user_message.id`',
  schema: object(
    {
      ...userMessage,
      message: text,
      message_type: text,
      sending_sn_pastelid: pastelId,
      signature,
      user_message: object(firstUserMessage),
      deliveries: { type: 'array', items: object({ receiving_sn_pastelid: pastelId, sent: { type: 'boolean' } }) },
    },
    {
      ...USER_MESSAGE,
      id: '0b9fd1f5-9b0b-4a36-8f0c-2f0a3b1f7c22',
      message: '"hello"',
      message_type: 'user_message',
      sending_sn_pastelid: BOB,
      signature: SIGNED,
      user_message: { ...USER_MESSAGE, signature: SIGNED },
      deliveries: [{ receiving_sn_pastelid: ALICE, sent: true }],
    },
  ),
};

export const sendUserMessageBody = {
  description:
    'The later dialect; the first one says `signature` for `message_signature` and `pastelid_signature` for `challenge_signature`',
  schema: {
    type: 'object',
    required: ['user_message', 'challenge_id'],
    properties: {
      user_message: {
        type: 'object',
        required: ['from_pastelid', 'to_pastelid', 'message_body'],
        properties: {
          id: { ...uuid, description: 'The same id is the same message: repeat it as often as you like' },
          from_pastelid: pastelId,
          to_pastelid: pastelId,
          message_body: { ...text, maxLength: BODY_LENGTH_MAX },
          message_signature: { ...signature, description: 'Over the body, or the text in it where the body is a JSON string' },
          signature,
        },
      },
      challenge: uuid,
      challenge_id: uuid,
      challenge_signature: signature,
      pastelid_signature: signature,
    },
    example: {
      user_message: { id: ID, from_pastelid: ALICE, to_pastelid: BOB, message_body: '"hello"', message_signature: SIGNED },
      challenge: ID,
      challenge_id: ID,
      challenge_signature: SIGNED,
    },
  },
} as ApiBodyOptions;

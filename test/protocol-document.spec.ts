import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { allMessages, exchanges, type Declaration } from '#protocol';

const FILE = 'docs/protocol.md';
const HEADER = `# The protocol

Written from the declarations in \`libs/protocol\` by \`npm run docs:protocol\`.

A message's hash is SHA3-256 over its canonical text: one flat JSON object of the fields marked *hashed*, keys sorted by code point, separators \`", "\`
and \`": "\`, non-ASCII kept, numbers as Python prints them, null left out. A signature is Ed448 by a PastelID over the hex text of the hash.
`;

test('docs/protocol.md says what the declarations say', () => {
  const text = [HEADER, exchangesTable(), ...allMessages().map(section)].join('\n');
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, text);
  expect(readFileSync(FILE, 'utf8')).toBe(text);
});

function exchangesTable(): string {
  const rows = Object.values(exchanges).map(
    ({ path, key, accepts, answers }) =>
      `| \`POST /${path}\` | \`${key}\`: ${accepts.name} | ${answers.map(({ name }) => name).join(' or ') || 'acknowledgement'} |`,
  );
  return `## Exchanges\n\nEach body is one JSON object: the message under its key, beside \`challenge\`, \`challenge_id\` and \`challenge_signature\`.\n\n| route | takes | answers |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function section({ name, shape, fields }: Declaration): string {
  const rows = fields.map(
    (field) =>
      `| ${field.name} | ${field.kind.name} | ${field.hashed ? 'yes' : ''} | ${[field.role, field.optional ? 'optional' : ''].filter(Boolean).join(', ')} |`,
  );
  return `## ${name}\n\nSeal: ${shape}.\n\n| field | kind | hashed | role |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

import {
  addressOfWif,
  composeTicket,
  contractTicketOf,
  CreditPackPurchaseRequestConfirmation,
  CreditPackPurchaseRequestResponse,
  directChecking,
  encodeBase64,
  fullyParsedText,
  identityFromSeed,
  isAddress,
  isJsonObject,
  networks,
  parsedThroughout,
  pooledChecking,
  publicKeyOf,
  readJson,
  readTicket,
  received,
  type JsonObject,
  type Network,
} from '#protocol';
import { firstOf, hasMembers, listOf, objectOf, objectsIn, textOf, type VectorShape } from './file.js';

const COMBINED = ['request', 'request_response', 'request_confirmation'].map((part) => `credit_pack_purchase_${part}_dict`) as [
  string,
  string,
  string,
];
const isCreditPack = (data: JsonObject): boolean => COMBINED.every((key) => isJsonObject(data[key]));

export const tickets: VectorShape = {
  name: 'tickets',
  matches: (content) => hasMembers(firstOf(content), 'ticket_input_data_json', 'fully_parsed_sha3_256'),
  async run(content, report, file) {
    for (const vector of objectsIn(content)) {
      await report.run(`${file} ${textOf(vector['name'])}`, (compare) => {
        const data = objectOf(readJson(textOf(vector['ticket_input_data_json'])));
        compare('text under the hash', fullyParsedText(parsedThroughout(data)), vector['concatenated']);
        const ticket = contractTicketOf(data);
        compare('hash', ticket.fullyParsedHash, vector['fully_parsed_sha3_256']);
        compare('ticket', ticket.json, vector['ticket_json']);
        compare('base64', encodeBase64(ticket.json), vector['ticket_json_b64']);
        const call = listOf(vector['rpc_call']).at(-1);
        compare('secondary key', ticket.fullyParsedHash, call);
        if (!isCreditPack(data)) return;
        const response = received(CreditPackPurchaseRequestResponse, objectOf(data[COMBINED[1]]));
        const confirmation = received(CreditPackPurchaseRequestConfirmation, objectOf(data[COMBINED[2]]));
        compare('composed', composeTicket(response, confirmation).json, vector['ticket_json']);
        const read = readTicket(textOf(vector['ticket_json_b64']));
        compare(
          'composed again',
          composeTicket(read.response, read.confirmation).fullyParsedHash,
          vector['fully_parsed_sha3_256'],
        );
      });
    }
  },
};

export const pastelIds: VectorShape = {
  name: 'PastelID signatures',
  matches: (content) => hasMembers(content, 'sign_vectors'),
  async run(content, report, file) {
    const all = objectOf(content);
    for (const [index, vector] of objectsIn(all['vectors']).entries()) {
      await report.run(`${file} signature #${index + 1}`, async (compare) => {
        const proof = [textOf(vector['pastelid']), textOf(vector['message']), textOf(vector['signature'])] as const;
        compare('verified at once', await directChecking.verify(...proof), vector['valid']);
        compare('verified in the pool', await pooledChecking.verify(...proof), vector['valid']);
        const key = publicKeyOf(proof[0])?.export({ format: 'der', type: 'spki' }).subarray(-57).toString('hex');
        if (vector['public_key_hex'] !== undefined) compare('public key', key, vector['public_key_hex']);
      });
    }
    for (const [index, vector] of objectsIn(all['sign_vectors']).entries()) {
      await report.run(`${file} signing #${index + 1}`, async (compare) => {
        const signing = identityFromSeed(Buffer.from(textOf(vector['private_key_raw_hex']), 'hex'));
        compare('PastelID', signing.pastelId, vector['pastelid']);
        compare('signature', await signing.sign(textOf(vector['message'])), vector['signature']);
      });
    }
  },
};

/** The public networks; regtest shares its prefixes with testnet. */
const networkNamed = (name: string): Network['name'] => (name === 'regtest' ? 'testnet' : (name as Network['name']));

export const addresses: VectorShape = {
  name: 'addresses',
  matches: (content) => hasMembers(content, 'prefixes', 'vectors'),
  async run(content, report, file) {
    const all = objectOf(content);
    for (const [name, prefix] of Object.entries(objectOf(all['prefixes']))) {
      const ours = (): string => networks[networkNamed(name)].addressPrefix;
      await report.run(`${file} prefix of ${name}`, (compare) => compare('prefix', ours(), prefix));
    }
    for (const vector of objectsIn(all['vectors'])) {
      await report.run(`${file} ${textOf(vector['address'])}`, (compare) => {
        const network = networkNamed(textOf(vector['network']));
        compare('address', addressOfWif(network, textOf(vector['wif'])), vector['address']);
        compare('is an address', isAddress(network, textOf(vector['address'])), true);
      });
    }
  },
};

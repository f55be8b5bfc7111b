import { Injectable } from '@nestjs/common';
import { Transactions } from '#database';
import {
  inParallel,
  Clock,
  creditsFloat,
  PythonNumber,
  pythonTimestamp,
  readJson,
  readTicket,
  Refusal,
  MILLICREDITS_PER_CREDIT,
  tenthsOfMillicredits,
  type CreditPackTicket,
} from '#protocol';
import { BurnIndex } from './burn-index.service.js';
import { LedgerStore } from './pack-ledger.store.js';
import type { PackRow } from './pack.entity.js';
import { packOf, unspentMillicredits } from './pack.rules.js';
import { TicketIndex } from './ticket-index.service.js';

const PACKS_LISTED_MAX = 1000;
const FIRST_READS_MAX = 50;
const READS_AT_ONCE_MAX = 8;

/** What the endpoints tell of packs (credit-packs spec 3.2, 5.12). Key names are those of the wire. */
@Injectable()
export class PacksService {
  constructor(
    private readonly transactions: Transactions,
    private readonly store: LedgerStore,
    private readonly tickets: TicketIndex,
    private readonly burns: BurnIndex,
    private readonly clock: Clock,
  ) {}

  /** From the index alone, in chain order; a pack whose burns were never read is read first. */
  async validTicketsFor(pastelId: string) {
    await this.tickets.catchUp();
    const spendable = () =>
      this.transactions.read((manager) => this.store.packs.spendableBy(manager, pastelId, PACKS_LISTED_MAX));
    const unread = (await spendable()).filter(({ refreshedAt }) => refreshedAt === null).slice(0, FIRST_READS_MAX);
    await inParallel(unread, READS_AT_ONCE_MAX, (row) => this.burns.refresh(packOf(row), this.clock.now()));
    const rows = await spendable();
    const { counts, swept } = await this.transactions.read(async (manager) => ({
      counts: await this.store.burns.countByPack(
        manager,
        rows.map(({ registrationTxid }) => registrationTxid),
      ),
      swept: await this.store.scans.position(manager, 'burns'),
    }));
    return rows.map((row) => listed(row, counts.get(row.registrationTxid) ?? 0, swept?.readAt));
  }

  /** @throws Refusal where there is no such pack, or the caller may not spend it */
  async balance(txid: string, caller: string) {
    const row = await this.packAt(txid, 'Credit pack ticket not found');
    const { ownerPastelId, authorisedPastelIds } = packOf(row);
    if (caller !== ownerPastelId && !authorisedPastelIds.includes(caller))
      throw new Refusal('forbidden', 'This PastelID may not use the credit pack');
    await this.burns.refresh(packOf(row), this.clock.now());
    return this.transactions.read(async (manager) => {
      const { registrationTxid } = row;
      const burns = await this.store.burns.count(manager, registrationTxid);
      return {
        current_credit_balance: balanceNumber((await this.store.packs.byTxid(manager, registrationTxid))!),
        number_of_confirmation_transactions: burns,
      };
    });
  }

  async messagesOfBurn(purchaseBurnTxid: string) {
    const { request, response, confirmation } = await this.ticketOfBurn(purchaseBurnTxid);
    return {
      credit_pack_purchase_request: request,
      credit_pack_purchase_request_response: response,
      credit_pack_purchase_request_confirmation: confirmation,
    };
  }

  async registrationOfBurn(purchaseBurnTxid: string) {
    const row = await this.packAt(purchaseBurnTxid, 'Credit pack ticket not found', 'burn');
    return { final_credit_pack_registration_txid: row.registrationTxid };
  }

  async messagesOfTicket(registrationTxid: string) {
    const missing = `Credit pack ticket with TXID ${registrationTxid} not found or was invalid!`;
    const { response, confirmation } = ticketOf(await this.packAt(registrationTxid, missing, 'ticket'));
    return { credit_pack_purchase_request_response: response, credit_pack_purchase_request_confirmation: confirmation };
  }

  private async ticketOfBurn(txid: string): Promise<CreditPackTicket> {
    return ticketOf(await this.packAt(txid, 'Credit pack ticket not found', 'burn'));
  }

  private async packAt(txid: string, missing: string, which: 'burn' | 'ticket' | 'either' = 'either'): Promise<PackRow> {
    const row = /^[0-9a-f]{64}$/.test(txid) ? await this.tickets.find(txid) : undefined;
    const isMeant = which === 'either' || txid === (which === 'burn' ? row?.purchaseBurnTxid : row?.registrationTxid);
    if (!row || !isMeant) throw new Refusal('not-found', missing);
    return row;
  }
}

const ticketOf = ({ ticketJson }: PackRow): CreditPackTicket => readTicket(readJson(ticketJson));

/** An integer while nothing is spent, a float afterwards, as Python's division makes it. */
function balanceNumber(row: PackRow): PythonNumber {
  if (row.burnedMillicredits > 0) return creditsFloat(tenthsOfMillicredits(unspentMillicredits(row)));
  const credits = row.initialMillicredits / MILLICREDITS_PER_CREDIT;
  return Number.isInteger(credits) ? PythonNumber.read(String(credits)) : PythonNumber.float(credits);
}

function listed(row: PackRow, burns: number, sweptAt: number | undefined) {
  const asOf = row.refreshedAt === null ? sweptAt : Math.max(row.refreshedAt, sweptAt ?? 0);
  return {
    credit_pack_registration_txid: row.registrationTxid,
    credit_purchase_request_confirmation_pastel_block_height: row.confirmationHeight,
    requesting_end_user_pastelid: row.ownerPastelId,
    ticket_input_data_fully_parsed_sha3_256_hash: row.fullyParsedHash,
    txid_of_credit_purchase_burn_transaction: row.purchaseBurnTxid,
    credit_usage_tracking_psl_address: row.trackingAddress,
    psl_cost_per_credit: PythonNumber.read(row.pslCostPerCredit),
    requested_initial_credits_in_credit_pack: PythonNumber.read(row.requestedCredits),
    complete_credit_pack_data_json: row.ticketJson,
    credit_pack_current_credit_balance: asOf === undefined ? null : balanceNumber(row),
    number_of_confirmation_transactions: asOf === undefined ? null : burns,
    balance_as_of_datetime: asOf === undefined ? null : pythonTimestamp(new Date(asOf)),
  };
}

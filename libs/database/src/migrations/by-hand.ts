/**
 * What cannot be read off the entities for the step that is not released yet: a column or table that got another name, and what becomes
 * of the values of old rows. SQL that both databases take. It runs before the generated statements, and `npm run migration:generate`
 * copies it into the step; once that is released, this list is empty again.
 */
export const byHand: readonly string[] = [
  // Tenths of a credit became thousandths.
  'ALTER TABLE "credit_hold" RENAME COLUMN "tenths" TO "millicredits"',
  'UPDATE "credit_hold" SET "millicredits" = "millicredits" * 100',
  'ALTER TABLE "credit_pack" RENAME COLUMN "initialTenths" TO "initialMillicredits"',
  'ALTER TABLE "credit_pack" RENAME COLUMN "heldTenths" TO "heldMillicredits"',
  'ALTER TABLE "credit_pack" RENAME COLUMN "burnedTenths" TO "burnedMillicredits"',
  'UPDATE "credit_pack" SET "initialMillicredits" = "initialMillicredits" * 100, "heldMillicredits" = "heldMillicredits" * 100, "burnedMillicredits" = "burnedMillicredits" * 100',
  // One offer of a supernode for a request; of two, any.
  'DELETE FROM "announced_credit_pack_offer" WHERE "responseHash" NOT IN (SELECT MIN("responseHash") FROM "announced_credit_pack_offer" GROUP BY "supernodePastelId", "requestHash")',
];

import { Injectable } from '@nestjs/common';

/** Is told of every step that is stored ({@link Transactions.run}); does nothing. A test program brings one that stops its process. */
@Injectable()
export class StoredSteps {
  /** All statements are made, and nothing is stored yet. */
  before(_name: string): void {}
  /** It is stored, and nobody knows of it yet. */
  after(_name: string): void {}
}

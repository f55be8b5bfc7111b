import { Injectable } from '@nestjs/common';
import { Lease } from './lease.entity.js';
import { Transactions } from './transactions.js';

/** One conditional statement decides each time. */
@Injectable()
export class LeaseRepository {
  constructor(private readonly transactions: Transactions) {}

  find(name: string): Promise<Lease | null> {
    return this.transactions.read((manager) => manager.findOneBy(Lease, { name }));
  }

  /** False where somebody else was first. */
  async make(lease: Lease): Promise<boolean> {
    return this.transactions.run('lease: made', async (manager) => {
      await manager.createQueryBuilder().insert().into(Lease).values(lease).orIgnore().execute();
      return manager.existsBy(Lease, { name: lease.name, holder: lease.holder! });
    });
  }

  /** From exactly this; false where it has changed meanwhile. */
  take({ name, fence, expires_at_ms }: Lease, holder: string, untilMs: number): Promise<boolean> {
    return this.transactions.run('lease: taken', async (manager) => {
      const changes = { holder, fence: fence + 1, expires_at_ms: untilMs };
      return (await manager.update(Lease, { name, fence, expires_at_ms }, changes)).affected === 1;
    });
  }

  /** False where another process has taken it. */
  renew(name: string, holder: string, untilMs: number): Promise<boolean> {
    return this.transactions.run('lease: renewed', async (manager) => {
      return (await manager.update(Lease, { name, holder }, { expires_at_ms: untilMs })).affected === 1;
    });
  }

  async giveBack(name: string, holder: string): Promise<void> {
    await this.transactions.run('lease: given back', (manager) =>
      manager.update(Lease, { name, holder }, { holder: null, expires_at_ms: 0 }),
    );
  }
}

import { Injectable } from '@nestjs/common';
import { SupernodeNetwork, type Supernode } from '#chain';
import { Refusal } from '#protocol';
import { supernodeDataOf, supernodeListCsv, supernodeListJson } from './registry.rules.js';

/** The supernode list as the HTTP API shows it. */
@Injectable()
export class RegistryService {
  constructor(private readonly network: SupernodeNetwork) {}

  async json() {
    return supernodeListJson(await this.network.list());
  }

  async csv() {
    return supernodeListCsv(await this.network.list());
  }

  /** Throws a `not-found` Refusal where this machine runs no supernode. */
  async local() {
    const self = await this.network.self();
    if (!self) throw new Refusal('not-found', 'Local machine is not a Supernode');
    return {
      local_machine_supernode_data: supernodeDataOf(self),
      local_sn_rank: self.rank ?? 0,
      local_sn_pastelid: self.pastelId ?? '',
      local_machine_ip_with_proper_port: `${self.ipAddress}:${self.port}`,
    };
  }

  /** The first row that fits. Throws a `not-found` Refusal where none does. */
  async find(fits: (node: Supernode) => boolean) {
    const node = (await this.network.list()).find(fits);
    if (!node) throw new Refusal('not-found', 'Specified machine is not a Supernode');
    return supernodeDataOf(node);
  }
}

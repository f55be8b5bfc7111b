import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ErrorAnswers, LocalhostOnly, QueryText } from '#http';
import { RegistryService } from './registry.service.js';

const supernodeExample = {
  supernode_status: 'ENABLED',
  protocol_version: '170012',
  supernode_psl_address: '44…',
  lastseentime: '2026-01-05T12:00:00',
  activeseconds: 3600,
  lastpaidtime: '1970-01-01T00:00:00',
  lastpaidblock: 0,
  'ipaddress:port': '127.0.0.1:29933',
  ipaddress_port: '127.0.0.1:29933',
  rank: 1,
  pubkey: '04…',
  extAddress: '127.0.0.1:4444',
  extP2P: '127.0.0.1:4445',
  extKey: 'jX…',
  activedays: 0.041666666666666664,
};

@ApiTags('supernodes')
@Controller()
export class RegistryController {
  constructor(private readonly registry: RegistryService) {}

  @Get('supernode_list_json')
  @ApiOperation({ summary: 'The supernodes, keyed by the outpoint of their collateral' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      additionalProperties: { type: 'object' },
      example: { '<txid>-0': { ...supernodeExample, lastseentime: 1767614400000, lastpaidtime: 0 } },
    },
  })
  @ErrorAnswers(429, 500, 503)
  list() {
    return this.registry.json();
  }

  @Get('supernode_list_csv')
  @Header('Content-Type', 'text/csv; charset=utf-8')
  @Header('Content-Disposition', 'attachment; filename=supernode_list.csv')
  @ApiOperation({ summary: 'The supernodes as a CSV file' })
  @ApiOkResponse({
    content: { 'text/csv': { schema: { type: 'string' }, example: 'supernode_status,protocol_version,…\nENABLED,170012,…\n' } },
  })
  @ErrorAnswers(429, 500, 503)
  csv() {
    return this.registry.csv();
  }

  @Get('get_local_machine_sn_info')
  @LocalhostOnly()
  @ApiOperation({ summary: "This machine's own row of the supernode list" })
  @ApiOkResponse({
    schema: {
      type: 'object',
      example: {
        local_machine_supernode_data: supernodeExample,
        local_sn_rank: 1,
        local_sn_pastelid: 'jX…',
        local_machine_ip_with_proper_port: '127.0.0.1:29933',
      },
    },
  })
  @ErrorAnswers(404, 503)
  local() {
    return this.registry.local();
  }

  @Get('get_sn_data_from_pastelid')
  @LocalhostOnly()
  @ApiOperation({ summary: 'The supernode with this PastelID' })
  @ApiOkResponse({ schema: { type: 'object', example: supernodeExample } })
  @ErrorAnswers(404, 422, 503)
  byPastelId(@QueryText('pastelid', { description: 'PastelID of the supernode' }) pastelId: string) {
    return this.registry.find((node) => node.pastelId === pastelId);
  }

  @Get('get_sn_data_from_sn_pubkey')
  @LocalhostOnly()
  @ApiOperation({ summary: 'The supernode with this masternode key' })
  @ApiOkResponse({ schema: { type: 'object', example: supernodeExample } })
  @ErrorAnswers(404, 422, 503)
  byPubkey(@QueryText('pubkey', { description: 'Masternode key, hex' }) pubkey: string) {
    return this.registry.find((node) => node.pubkey === pubkey);
  }
}

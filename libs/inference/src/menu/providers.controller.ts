import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { OperatorOnly } from '#http';
import { ProviderGate } from '../execution/provider-gate.js';
import { ProviderHealth, type ProviderState } from './provider-health.service.js';

/** A provider that is set up, as its operator sees it. */
class ProviderReport {
  @ApiProperty({ example: 'acme' }) name!: string;
  @ApiProperty({ example: 'Acme' }) title!: string;
  @ApiProperty({ description: 'It answers and takes the key; otherwise none of its models is in the menu', example: false })
  well!: boolean;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it is not well',
    example: "The model service does not accept this supernode's key (HTTP 401)",
  })
  reason!: string | null;
  @ApiProperty({ description: 'When it became so', example: '2026-01-05T12:00:00.000Z' }) since!: string;
  @ApiProperty({ example: '2026-01-05T12:10:00.000Z' }) checked_at!: string;
  @ApiProperty({ example: '2026-01-05T12:10:30.000Z' }) next_check_at!: string;
  @ApiProperty({ description: 'Requests are kept from it for a while, since it failed too often', example: false })
  circuit_open!: boolean;
}
class ProviderReports {
  @ApiProperty({ type: [ProviderReport] }) providers!: ProviderReport[];
}

const iso = (ms: number): string => new Date(ms).toISOString();
const reportOf = (state: ProviderState, circuitOpen: boolean): ProviderReport => ({
  name: state.name,
  title: state.title,
  well: state.isWell,
  reason: state.reason ?? null,
  since: iso(state.sinceMs),
  checked_at: iso(state.checkedAtMs),
  next_check_at: iso(state.dueAtMs),
  circuit_open: circuitOpen,
});

@ApiTags('operator')
@Controller()
export class ProvidersController {
  constructor(
    private readonly health: ProviderHealth,
    private readonly gate: ProviderGate,
  ) {}

  @Get('providers')
  @OperatorOnly()
  @ApiOperation({ summary: 'The model services of this node: which are well, which are not, and why' })
  @ApiOkResponse({ type: ProviderReports })
  providers(): ProviderReports {
    return { providers: this.health.states().map((state) => reportOf(state, this.gate.isBroken(state.name))) };
  }
}

import { Controller, Get, Header, Injectable } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Gauge, Registry } from 'prom-client';
import { LocalhostOnly } from './access.guards.js';

/** What this node can be watched by. One set of figures for each node, not for each process of this machine. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  /** A figure that goes up and down. `labels`: what it is told apart by; few values each. */
  gauge<Label extends string = never>(name: string, help: string, labels: readonly Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames: labels, registers: [this.registry] });
  }
}

@ApiTags('operator')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @LocalhostOnly()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Figures of this node in the text format of Prometheus' })
  @ApiOkResponse({ content: { 'text/plain': { schema: { type: 'string' }, example: 'pastel_books_differences 0\n' } } })
  text(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}

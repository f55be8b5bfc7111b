import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '#protocol';
import { Providers } from '../execution/providers.service.js';
import type { Model, ModelMenuEntry, Provider } from '../providers/index.js';

/** How long a provider is taken at its word: when it was well, and when it was not. */
const WELL_MS = 600_000;
const UNWELL_MS = 30_000;
const QUESTION_TIMEOUT_MS = 15_000;

/** A model and who runs it. */
export interface Offer {
  readonly model: Model;
  readonly provider: Provider;
}
interface Answer {
  readonly models: readonly Model[];
  readonly dueAtMs: number;
}

/** What can be asked of this node now. Providers whose key or server does not answer are left out, and asked again soon. */
@Injectable()
export class ModelCatalog implements OnApplicationBootstrap {
  private readonly logger = new Logger(ModelCatalog.name);
  private readonly answers = new Map<Provider, Answer>();
  private asking: Promise<void> | undefined;

  constructor(
    private readonly providers: Providers,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    void this.sweep(this.clock.now());
  }

  /** The body of `/get_inference_model_menu`. */
  async menu(): Promise<{ models: ModelMenuEntry[] }> {
    return { models: (await this.offers()).map(({ model }) => model.entry) };
  }

  /** By the exact name (inference spec 8 W13). */
  async find(modelName: string): Promise<Offer | undefined> {
    return (await this.offers()).find(({ model }) => model.entry.model_name === modelName);
  }

  /** Asks the providers that are due; one round at a time. */
  sweep(now: Date): Promise<void> {
    return (this.asking ??= this.ask(now).finally(() => (this.asking = undefined)));
  }

  /** Where two providers offer one name, the first in the registry has it. */
  private async offers(): Promise<Offer[]> {
    if (this.answers.size < this.providers.all.length) await this.sweep(this.clock.now());
    const byName = new Map<string, Offer>();
    for (const provider of this.providers.all) {
      for (const model of this.answers.get(provider)?.models ?? []) {
        const { model_name } = model.entry;
        if (!byName.has(model_name)) byName.set(model_name, { model, provider });
      }
    }
    return [...byName.values()];
  }

  private async ask(now: Date): Promise<void> {
    const due = this.providers.all.filter((provider) => (this.answers.get(provider)?.dueAtMs ?? 0) <= now.getTime());
    await Promise.all(
      due.map(async (provider) => {
        const models = await this.modelsOf(provider);
        this.answers.set(provider, { models: models ?? [], dueAtMs: now.getTime() + (models ? WELL_MS : UNWELL_MS) });
      }),
    );
  }

  private async modelsOf(provider: Provider): Promise<readonly Model[] | undefined> {
    const surroundings = this.providers.surroundingsOf(provider, AbortSignal.timeout(QUESTION_TIMEOUT_MS));
    try {
      await provider.checkKey(surroundings);
      return (await provider.models?.(surroundings)) ?? [];
    } catch (error) {
      this.logger.warn(`${provider.name} is left out of the menu: ${(error as Error).message}`);
      return undefined;
    }
  }
}

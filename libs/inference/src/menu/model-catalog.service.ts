import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { MenuSettings } from '#config';
import { Clock } from '#protocol';
import { Providers } from '../execution/providers.service.js';
import { ProviderFailure, type Model, type Provider } from '../providers/index.js';
import { publishedEntry, type PublishedEntry } from './menu-models.rules.js';
import { ModelMenu } from './model-menu.service.js';
import { ProviderHealth } from './provider-health.service.js';

/** How long a list of models is taken as it is, and when a service that did not give it is asked again. */
const LISTED_MS = 600_000;
const UNLISTED_MS = 30_000;
const QUESTION_TIMEOUT_MS = 15_000;

/** A model and who runs it. */
export interface Offer {
  readonly model: Model;
  readonly provider: Provider;
}
interface Answer {
  readonly models: readonly Model[];
  /** Of the menu that it goes by. */
  readonly menuVersion: number;
  readonly dueAtMs: number;
}

/** What can be asked of this node now: models of the menu and of the services themselves. Providers that are not well are left out. */
@Injectable()
export class ModelCatalog implements OnApplicationBootstrap {
  private readonly logger = new Logger(ModelCatalog.name);
  private readonly answers = new Map<Provider, Answer>();
  private asking: Promise<void> | undefined;

  constructor(
    private readonly providers: Providers,
    private readonly health: ProviderHealth,
    private readonly menuInUse: ModelMenu,
    private readonly clock: Clock,
    private readonly settings: MenuSettings,
  ) {}

  onApplicationBootstrap(): void {
    void this.sweep(this.clock.now());
  }

  /** The body of `/get_inference_model_menu`. */
  async menu(): Promise<{ models: PublishedEntry[] }> {
    const { typesAsText } = this.settings;
    return { models: (await this.offers()).map(({ model }) => publishedEntry(model.entry, typesAsText)) };
  }

  /** By the exact name (inference spec 8 W13). */
  async find(modelName: string): Promise<Offer | undefined> {
    return (await this.offers()).find(({ model }) => model.entry.model_name === modelName);
  }

  /** Asks the providers that are due; one round at a time. */
  async sweep(now: Date): Promise<void> {
    await Promise.all([this.menuInUse.sweep(), this.health.sweep(now)]);
    await this.askForModels();
  }

  /** Where two providers offer one name, the first in the registry has it. */
  private async offers(): Promise<Offer[]> {
    await this.health.ready();
    if (this.providers.all.some((provider) => this.health.isWell(provider.name) && !this.isAnswered(provider)))
      await this.askForModels();
    const byName = new Map<string, Offer>();
    for (const provider of this.providers.all) {
      if (!this.health.isWell(provider.name)) continue;
      for (const model of this.answers.get(provider)?.models ?? []) {
        const { model_name } = model.entry;
        if (!byName.has(model_name)) byName.set(model_name, { model, provider });
      }
    }
    return [...byName.values()];
  }

  private isAnswered(provider: Provider): boolean {
    return this.answers.get(provider)?.menuVersion === this.menuInUse.version;
  }

  private askForModels(): Promise<void> {
    return (this.asking ??= this.ask(this.clock.monotonicMs()).finally(() => (this.asking = undefined)));
  }
  private async ask(nowMs: number): Promise<void> {
    const due = this.providers.all.filter(
      (provider) =>
        this.health.isWell(provider.name) && !(this.isAnswered(provider) && nowMs < this.answers.get(provider)!.dueAtMs),
    );
    await Promise.all(
      due.map(async (provider) => {
        const menuVersion = this.menuInUse.version;
        const models = await this.modelsOf(provider);
        this.answers.set(provider, { models: models ?? [], menuVersion, dueAtMs: nowMs + (models ? LISTED_MS : UNLISTED_MS) });
      }),
    );
  }

  private async modelsOf(provider: Provider): Promise<readonly Model[] | undefined> {
    try {
      const surroundings = this.providers.surroundingsOf(provider, AbortSignal.timeout(QUESTION_TIMEOUT_MS));
      const listed = this.menuInUse.modelsOf(provider.name);
      const available = listed.length > 0 ? ((await provider.available?.(listed, surroundings)) ?? listed) : [];
      return [...available, ...((await provider.models?.(surroundings)) ?? [])];
    } catch (error) {
      this.logger.warn(`The models of ${provider.name} are not known: ${(error as Error).message}`);
      if (error instanceof ProviderFailure) this.health.reportFailure(provider.name, error);
      return undefined;
    }
  }
}
